package node

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/live"
)

// fakeEye sees a site as a test has it.
type fakeEye struct {
	looks  atomic.Int32
	queued atomic.Int32 // tickets that wait for the line
	took   time.Duration
	blind  atomic.Bool
}

func (e *fakeEye) Overview(ctx context.Context) (*apipb.GetSiteResponse, error) {
	e.looks.Add(1)
	time.Sleep(e.took)
	if e.blind.Load() {
		return nil, errors.New("the store cannot be read")
	}
	return &apipb.GetSiteResponse{Leader: "n1", Links: []*apipb.LinkStatus{{Peer: "330100", Queued: e.queued.Load()}}}, ctx.Err()
}

func (e *fakeEye) Sites(context.Context) (*apipb.ListSitesResponse, error) {
	return &apipb.ListSitesResponse{}, nil
}

// looking runs a standing over an eye until the test ends, and counts what is told.
func looking(t *testing.T, e *fakeEye) (s *standing, told *atomic.Int32) {
	told = &atomic.Int32{}
	s = newStanding(e, func() { told.Add(1) })
	ctx, cancel := context.WithCancel(t.Context())
	go s.run(ctx)
	t.Cleanup(func() {
		cancel()
		synctest.Wait()
	})
	return s, told
}

func TestTheSiteIsLookedAtOnlyWhileSomebodyAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEye{took: 5 * time.Millisecond}
		s, _ := looking(t, e)
		time.Sleep(time.Hour)
		if n := e.looks.Load(); n != 0 {
			t.Errorf("nobody asked, and the site was looked at %d times", n)
		}
		began := time.Now()
		if site := s.Site(); site.GetLeader() != "n1" || time.Since(began) != e.took {
			t.Errorf("who asks first sees %v after %v", site, time.Since(began))
		}
		began = time.Now()
		if s.Sites() == nil || time.Since(began) != 0 {
			t.Errorf("who asks next waits %v", time.Since(began))
		}
		time.Sleep(time.Hour)
		want := int32(lookLife/lookPause) + 1
		if n := e.looks.Load(); n < want-1 || n > want+1 {
			t.Errorf("one question has the site looked at %d times, want about %d", n, want)
		}
	})
}

func TestPagesAreToldOnlyWhatTheyShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEye{}
		s, told := looking(t, e)
		s.Site()
		time.Sleep(5 * lookPause)
		if n := told.Load(); n != 0 {
			t.Errorf("nothing changed, and that was told %d times", n)
		}
		e.queued.Store(3)
		time.Sleep(5 * lookPause)
		if n := told.Load(); n != 1 || s.Site().GetLinks()[0].GetQueued() != 3 {
			t.Errorf("one change was told %d times", n)
		}
		e.blind.Store(true)
		time.Sleep(5 * lookPause)
		if s.Site().GetLinks()[0].GetQueued() != 3 || told.Load() != 1 {
			t.Error("what cannot be seen is not told as it was before")
		}
	})
}

// A look that does not come back in time keeps nobody for longer than a second.
func TestNobodyWaitsLongForALook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEye{took: time.Minute}
		s, _ := looking(t, e)
		began := time.Now()
		if site := s.Site(); site != nil || time.Since(began) != lookPatience {
			t.Errorf("who asks sees %v after %v, want nothing after %v", site, time.Since(began), lookPatience)
		}
		time.Sleep(2 * time.Minute)
	})
}

// When the line to the parent is cut and mended, open pages hear of it, and what they fetch then says so.
func TestPagesHearOfTheLine(t *testing.T) {
	line := newStoryLine()
	city := configuration(t, "c1")
	city.Site.ID, city.Site.Name, city.Site.Tier, city.Site.Parent = "330100", "杭州市", "city", "330000"
	above := start(t, city)
	o := options(configuration(t, "n1"))
	o.Dial = func(ctx context.Context, address string) (net.Conn, error) { return line.dial(ctx, address) }
	o.Config.Gossip.Join = []string{above.GossipAddr()}
	n, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, n) })
	awaitReady(t, above, n)
	admin := signedIn(t, n, "admin", password)
	shows := func(text string) func(live.Events) bool {
		return func(live.Events) bool {
			status, part := admin.get("/part/line")
			return status == http.StatusOK && strings.Contains(part, text)
		}
	}
	eventually(t, "the line is up", func() string {
		if !shows("链路畅通")(live.Events{}) {
			return "it is not"
		}
		return ""
	})
	stream := admin.listen("")
	line.cut()
	stream.hear("that the line is cut", shows("的链路已断开"))
	line.mend()
	stream.hear("that the line is mended", shows("链路畅通"))
}
