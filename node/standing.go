package node

import (
	"context"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

const (
	// lookPause is how often the site is looked at while somebody wants to know, and how long one look may take.
	lookPause = time.Second
	// lookLife is how long one question has the site looked at. A page that is open asks more often.
	lookLife = 20 * time.Second
	// lookStale is how old a look may be and still be told. After a while in which nobody asked, whoever does waits for the next one.
	lookStale = 3 * time.Second
	// lookPatience bounds that wait.
	lookPatience = 2 * surveyPatience
)

// eye sees how the site stands. What it returns is not changed any more.
type eye interface {
	Overview(ctx context.Context) (*apipb.GetSiteResponse, error)
	Sites(ctx context.Context) (*apipb.ListSitesResponse, error)
}

// standing is how the site stands, as pages tell it. It is looked at once a second while somebody asks, and not at all otherwise.
type standing struct {
	eye    eye
	told   func() // is called when what pages show of it has changed
	wanted chan struct{}

	mu    sync.Mutex // guards the rest
	asked time.Time
	seen  time.Time
	next  chan struct{} // closed by the next look
	site  *apipb.GetSiteResponse
	sites *apipb.ListSitesResponse
}

func newStanding(e eye, told func()) *standing {
	return &standing{eye: e, told: told, wanted: make(chan struct{}, 1), next: make(chan struct{})}
}

// Site tells of this site's nodes and links.
func (s *standing) Site() *apipb.GetSiteResponse {
	s.ask()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.site
}

// Sites tells of the whole tree as it is known here.
func (s *standing) Sites() *apipb.ListSitesResponse {
	s.ask()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sites
}

// ask has the site looked at for a while. It waits only when nobody has asked lately.
func (s *standing) ask() {
	s.mu.Lock()
	s.asked = time.Now()
	fresh, next := time.Since(s.seen) < lookStale, s.next
	s.mu.Unlock()
	if fresh {
		return
	}
	select {
	case s.wanted <- struct{}{}:
	default: // it is on its way
	}
	select {
	case <-next:
	case <-time.After(lookPatience):
	}
}

// run looks until the context ends.
func (s *standing) run(ctx context.Context) {
	pause := time.NewTicker(lookPause)
	pause.Stop()
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wanted:
			pause.Reset(lookPause)
		case <-pause.C:
			if !s.isAsked() {
				pause.Stop()
				continue
			}
		}
		s.look(ctx)
	}
}

// isAsked tells whether somebody has asked lately.
func (s *standing) isAsked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.asked) < lookLife
}

// look sees how the site stands, and tells when pages have to show something else. What cannot be seen is told as it was before.
func (s *standing) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookPause)
	defer cancel()
	site, siteErr := s.eye.Overview(ctx)
	sites, sitesErr := s.eye.Sites(ctx)
	s.mu.Lock()
	before := s.site
	if siteErr == nil {
		s.site = site
	}
	if sitesErr == nil {
		s.sites = sites
	}
	changed := before != nil && !proto.Equal(headOf(before), headOf(s.site))
	s.seen = time.Now()
	close(s.next)
	s.next = make(chan struct{})
	s.mu.Unlock()
	if changed {
		s.told()
	}
}

// headOf is what the head of a page shows of how the site stands.
func headOf(site *apipb.GetSiteResponse) *apipb.GetSiteResponse {
	head := &apipb.GetSiteResponse{Frozen: site.GetFrozen(), Recovering: site.GetRecovering(), MajorIncidents: site.GetMajorIncidents()}
	if site.GetLeader() != "" {
		head.Leader = "there is one"
	}
	for _, link := range site.GetLinks() {
		head.Links = append(head.Links, &apipb.LinkStatus{
			Peer: link.GetPeer(), Direction: link.GetDirection(), State: link.GetState(), Since: link.GetSince(), Queued: link.GetQueued(),
		})
	}
	return head
}
