package client

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func TestLinkRemarks(t *testing.T) {
	for _, tt := range []struct {
		link    *apipb.LinkStatus
		chinese string
		english string
	}{
		{&apipb.LinkStatus{State: apipb.LinkStatus_UP}, "", ""},
		{&apipb.LinkStatus{State: apipb.LinkStatus_DOWN, Reason: "no route", Pending: 3, OldestPendingTime: at0900(4)},
			"no route；最早的一条自 2026-11-21 09:04:00 起等待", "no route; the oldest item waits since 2026-11-21 09:04:00"},
		{&apipb.LinkStatus{State: apipb.LinkStatus_CATCHING_UP, Estimate: durationpb.New(75 * time.Second)},
			"约 1m15s 后赶上", "about 1m15s to go"},
		{&apipb.LinkStatus{State: apipb.LinkStatus_CATCHING_UP, Comparing: true, Compared: 12, ToCompare: 100},
			"正在比对 12/100 张工单", "comparing tickets: 12 of 100"},
	} {
		for english, want := range map[bool]string{false: tt.chinese, true: tt.english} {
			p := &printer{english: english, location: time.FixedZone("CST", 8*3600)}
			if got := p.linkRemark(tt.link); got != want {
				t.Errorf("the remark on %v is %q, want %q", tt.link, got, want)
			}
		}
	}
}

func TestBytesInWords(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 3 << 20: "3.0 MiB", 5 << 40: "5.0 TiB", 1 << 60: "1048576.0 TiB"} {
		if got := bytesInWords(n); got != want {
			t.Errorf("%d bytes are %q, want %q", n, got, want)
		}
	}
}
