package tiers

import (
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/store"
)

// metrics measures the links. They are always counted; without a registerer nobody reads them.
type metrics struct {
	registerer prometheus.Registerer
	collectors []prometheus.Collector // those that are registered
	links      *prometheus.GaugeVec
	sent       *prometheus.CounterVec
	received   *prometheus.CounterVec
	handovers  *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	peer := []string{"peer"}
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "tierdesk", Subsystem: "link", Name: name, Help: help}, peer)
	}
	return &metrics{
		registerer: r,
		links: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "tierdesk", Subsystem: "link", Name: "up", Help: "1 while this node carries the link and it is up.",
		}, peer),
		sent:      counter("sent_items_total", "Items sent to the peer, repetitions included."),
		received:  counter("received_items_total", "Items received from the peer and applied."),
		handovers: counter("handovers_total", "Hand-overs sent on their way to the peer."),
	}
}

// register offers the measures, and what the state and the board say of the links, to the registerer.
func (m *metrics) register(t *Tiers) error {
	if m.registerer == nil {
		return nil
	}
	for _, c := range []prometheus.Collector{m.links, m.sent, m.received, m.handovers, newLinkCollector(t)} {
		if err := m.registerer.Register(c); err != nil {
			m.unregister()
			return fmt.Errorf("register the metrics: %w", err)
		}
		m.collectors = append(m.collectors, c)
	}
	return nil
}

func (m *metrics) unregister() {
	for _, c := range m.collectors {
		m.registerer.Unregister(c)
	}
	m.collectors = nil
}

func (m *metrics) up(peer desk.SiteID, up bool) {
	m.links.WithLabelValues(string(peer)).Set(truth(up))
}

// truth is 1 for what holds and 0 for what does not.
func truth(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}

// forget drops the gauge of a link that this node does not carry any more.
func (m *metrics) forget(peer desk.SiteID) { m.links.DeleteLabelValues(string(peer)) }

// linkCollector reads what waits for each neighbour when it is asked, so that every node of the site tells it, and tells
// it while the link is down.
type linkCollector struct {
	site  Site
	board *board
	log   *slog.Logger

	pending, oldest, queued, transit, parked, unsettled, bytes *prometheus.Desc
	frozen, recovering                                         *prometheus.Desc
}

func newLinkCollector(t *Tiers) *linkCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("tierdesk_link_"+name, help, append([]string{"peer"}, labels...), nil)
	}
	return &linkCollector{
		site: t.o.Site, board: t.board, log: t.o.Logger,
		pending:   desc("pending_items", "Items written for the peer and not acknowledged."),
		oldest:    desc("oldest_pending_timestamp_seconds", "When the oldest event was decided that the peer has not acknowledged; absent when there is none."),
		queued:    desc("queued_handovers", "Hand-overs that wait for the line to the peer."),
		transit:   desc("transit_handovers", "Hand-overs that left for the peer and were not answered."),
		parked:    desc("parked_items", "Items from the peer that are set aside."),
		unsettled: desc("unsettled", "1 until both ends were compared, after one of them began a new life."),
		bytes:     desc("bytes_total", "Bytes of frames that this node carried over the link.", "direction"),
		frozen:    prometheus.NewDesc("tierdesk_site_frozen", "1 while the site decides nothing because another copy of it lives.", nil, nil),
		recovering: prometheus.NewDesc("tierdesk_site_recovering",
			"1 while tickets from before the site's present life wait for the comparison with neighbours.", nil, nil),
	}
}

// Describe lists what Collect may tell.
func (c *linkCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.pending, c.oldest, c.queued, c.transit, c.parked, c.unsettled, c.bytes, c.frozen, c.recovering,
	} {
		out <- d
	}
}

// Collect reads the state. What cannot be read is left out.
func (c *linkCollector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	err := c.site.View(func(r *store.Reader) error {
		site, err := r.Site()
		if err != nil {
			return err
		}
		gauge(c.frozen, truth(site.GetFrozen() != ""))
		gauge(c.recovering, truth(site.GetRecovering() != 0))
		links, err := r.Links()
		if err != nil {
			return err
		}
		for _, link := range links {
			w, err := ReadWaiting(r, desk.SiteID(link.Peer))
			if err != nil {
				return err
			}
			gauge(c.pending, float64(w.Items), link.Peer)
			gauge(c.queued, float64(w.Queued), link.Peer)
			gauge(c.transit, float64(w.InTransit), link.Peer)
			gauge(c.parked, float64(link.Parked), link.Peer)
			gauge(c.unsettled, truth(link.Unsettled), link.Peer)
			if !w.Oldest.IsZero() {
				gauge(c.oldest, float64(w.Oldest.UnixMicro())/1e6, link.Peer)
			}
		}
		return nil
	})
	if err != nil {
		c.log.Warn("the links were not measured", "error", err)
	}
	for _, status := range c.board.list() {
		for direction, bytes := range map[string]int64{"sent": status.Sent, "received": status.Received} {
			out <- prometheus.MustNewConstMetric(c.bytes, prometheus.CounterValue, float64(bytes), string(status.Peer), direction)
		}
	}
}
