package client

import (
	"fmt"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// links is a table of a site's links: how each stands, what waits on it, and a remark that explains it.
func (p *printer) links(links []*apipb.LinkStatus) string {
	if len(links) == 0 {
		return p.say(phrase{"没有链路", "no links"}) + "\n"
	}
	rows := [][]string{p.header(phrase{"对端", "PEER"}, phrase{"方向", "DIRECTION"}, phrase{"状态", "STATE"}, phrase{"自", "SINCE"},
		phrase{"最近确认", "LAST ACK"}, phrase{"待确认", "PENDING"}, phrase{"待送出", "QUEUED"}, phrase{"途中", "IN TRANSIT"},
		phrase{"搁置", "PARKED"}, phrase{"流量", "TRAFFIC"}, phrase{"说明", "REMARK"})}
	for _, l := range links {
		rows = append(rows, []string{l.GetPeer(), p.name(l.GetDirection()), p.name(l.GetState()), p.when(l.GetSince()),
			p.when(l.GetLastAckTime()), fmt.Sprint(l.GetPending()), fmt.Sprint(l.GetQueued()), fmt.Sprint(l.GetInTransit()),
			fmt.Sprint(l.GetParked()), bytesInWords(l.GetSentBytes() + l.GetReceivedBytes()), p.linkRemark(l)})
	}
	return new(table).layOut(rows)
}

// linkRemark says why a link is not up, what it is about, and since when something waits.
func (p *printer) linkRemark(l *apipb.LinkStatus) string {
	var parts []string
	if l.GetReason() != "" {
		parts = append(parts, l.GetReason())
	}
	if l.GetComparing() {
		parts = append(parts, fmt.Sprintf(p.say(phrase{"正在比对 %d/%d 张工单", "comparing tickets: %d of %d"}), l.GetCompared(), l.GetToCompare()))
	}
	if l.GetEstimate() != nil {
		parts = append(parts, fmt.Sprintf(p.say(phrase{"约 %s 后赶上", "about %s to go"}), l.GetEstimate().AsDuration().Round(time.Second)))
	}
	if l.GetOldestPendingTime() != nil {
		parts = append(parts, fmt.Sprintf(p.say(phrase{"最早的一条自 %s 起等待", "the oldest item waits since %s"}), p.when(l.GetOldestPendingTime())))
	}
	return strings.Join(parts, p.say(phrase{"；", "; "}))
}

// bytesInWords is an amount of bytes with one of the binary units.
func bytesInWords(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	amount, units := float64(n)/unit, []string{"KiB", "MiB", "GiB", "TiB"}
	for amount >= unit && len(units) > 1 {
		amount, units = amount/unit, units[1:]
	}
	return fmt.Sprintf("%.1f %s", amount, units[0])
}
