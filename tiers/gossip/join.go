package gossip

import (
	"context"
	"math/rand/v2"
	"net"
	"slices"
	"time"
)

const (
	// firstRejoin and rejoinEvery are the first and the longest time between two rounds of joining; in between it
	// doubles, so that nodes that start together find each other at once and a lost one is not hammered.
	firstRejoin = 500 * time.Millisecond
	rejoinEvery = 30 * time.Second
	// childrenTried bounds how many nodes of the sites below are tried in one round.
	childrenTried = 4
	// resolveTimeout bounds the look-up of a join address.
	resolveTimeout = 5 * time.Second
)

// joiner brings this node into its pools and back into them after a cut that lasted so long that the neighbours forgot
// each other. One goroutine owns it.
type joiner struct {
	*Gossip
	sites map[string]string // join address → site of the node that was last found there
}

// keepJoining tries in rounds until ctx ends.
func (j *joiner) keepJoining(ctx context.Context) {
	for wait := firstRejoin; ; wait = min(2*wait, rejoinEvery) {
		for _, address := range j.join {
			j.configured(ctx, address)
		}
		j.parent(ctx)
		j.children(ctx)
		if !pause(ctx, wait/2+rand.N(wait)) {
			return
		}
	}
}

// configured tries an address in every pool, since it does not say whose it is, while its site is not seen. Before it
// was found the first time its site is not known, hence not seen.
func (j *joiner) configured(ctx context.Context, address string) {
	resolved := resolve(ctx, address)
	if len(resolved) == 0 {
		j.logger.Debug("join address is not found", "address", address)
		return
	}
	if slices.Contains(resolved, j.advertised) {
		return
	}
	if j.seen(address, resolved) {
		return
	}
	for _, p := range j.pools {
		j.try(ctx, p, resolved)
	}
	j.seen(address, resolved)
}

// seen notes whose the address is and tells whether a node of that site lives.
func (j *joiner) seen(address string, resolved []string) bool {
	if site := j.directory.siteAt(resolved); site != "" {
		j.sites[address] = site
	}
	site := j.sites[address]
	return site != "" && j.directory.seen(site)
}

// parent tries where the parent's nodes were last heard while none of them is seen: the join addresses may all be of
// this node's own site.
func (j *joiner) parent(ctx context.Context) {
	if j.self.Parent == "" || j.directory.seen(j.self.Parent) {
		return
	}
	for _, p := range j.pools {
		if p.label == j.self.Parent {
			j.try(ctx, p, j.directory.gossips(j.self.Parent))
		}
	}
}

// children tries where nodes of the sites below were last heard while none of them is seen: all of this site's nodes may
// have moved to other addresses, where nobody looks for them. Through the one that answers the others hear of it.
func (j *joiner) children(ctx context.Context) {
	lost := j.directory.lost(j.self.Site)
	rand.Shuffle(len(lost), func(a, b int) { lost[a], lost[b] = lost[b], lost[a] })
	for _, p := range j.pools {
		if p.label == j.self.Site {
			j.try(ctx, p, lost[:min(len(lost), childrenTried)])
		}
	}
}

// try joins a pool at addresses until ctx ends. A failure is left to the next round; memberlist logs it.
func (j *joiner) try(ctx context.Context, p *pool, addresses []string) {
	for _, address := range addresses {
		if ctx.Err() != nil {
			return
		}
		_, _ = p.list.Join([]string{address})
	}
}

// resolve returns the ip:port forms of a host:port, none when it is not found now.
func resolve(ctx context.Context, address string) []string {
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return nil
	}
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return nil
	}
	var resolved []string
	for _, ip := range ips {
		resolved = append(resolved, (&net.TCPAddr{IP: ip.IP, Port: number, Zone: ip.Zone}).String())
	}
	return resolved
}

// pause waits, or returns false when ctx ends.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
