package node

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/peers"
	"github.com/tierdesk/tierdesk/tiers"
)

// surveyPatience bounds the wait for the site's other nodes when one is asked how the site stands.
const surveyPatience = 500 * time.Millisecond

// survey is what the nodes of the site that answered know of links and sites. Only the node that carries a link, or did
// last, knows how it stands.
type survey struct {
	answered map[string]bool // by server id
	links    map[desk.SiteID]tiers.LinkStatus
	carriers map[desk.SiteID]string // id of the node that carries a link
	reach    map[desk.SiteID]tiers.Reach
	alarms   []string
}

// survey asks all nodes of the site at the same time.
func (b *backend) survey(ctx context.Context) survey {
	s := survey{
		answered: map[string]bool{}, links: map[desk.SiteID]tiers.LinkStatus{}, carriers: map[desk.SiteID]string{},
		reach: map[desk.SiteID]tiers.Reach{},
	}
	s.add(b.node.store.ServerID(), b.ownLinks())
	for serverID, answer := range b.node.otherLinks(ctx) {
		s.add(serverID, answer)
	}
	return s
}

// otherLinks is what the other nodes of the site that answer in time know of links and sites, by server id.
func (n *Node) otherLinks(ctx context.Context) map[string]peers.Links {
	ctx, cancel := context.WithTimeout(ctx, surveyPatience)
	defer cancel()
	links := map[string]peers.Links{}
	for serverID, answer := range askOthers(ctx, n, n.peers.Links) {
		if answer.err == nil { // the absence of the others is their answer
			links[serverID] = answer.said
		}
	}
	return links
}

// heard is what another node of the site answered, and between which moments.
type heard[T any] struct {
	said         T
	err          error
	asked, given time.Time
}

// askOthers asks all other members of the group whose address is known at the same time, until the context ends. Their
// answers are by server id.
func askOthers[T any](ctx context.Context, n *Node, ask func(ctx context.Context, address string) (T, error)) map[string]heard[T] {
	status := n.replica.Status()
	answers := map[string]heard[T]{}
	var mu sync.Mutex // guards answers
	var asking sync.WaitGroup
	for _, member := range status.Members {
		address := n.addressOf(member.ID)
		if member.ID == status.Self || address == "" {
			continue
		}
		asking.Go(func() {
			answer := heard[T]{asked: time.Now()}
			answer.said, answer.err = ask(ctx, address)
			answer.given = time.Now()
			mu.Lock()
			defer mu.Unlock()
			answers[member.ID] = answer
		})
	}
	asking.Wait()
	return answers
}

// otherReach is what the other nodes of the site heard of sites, for the links that this node carries.
func (n *Node) otherReach(ctx context.Context) (reach []tiers.Reach) {
	for _, answer := range n.otherLinks(ctx) {
		reach = append(reach, answer.Reach...)
	}
	return reach
}

// ownLinks is what this node knows of links and sites.
func (b *backend) ownLinks() peers.Links {
	return peers.Links{
		Node:    b.node.config.Node.ID,
		Links:   b.node.tiers.Links(),
		Reach:   b.node.tiers.Reach(),
		Applied: b.node.machine.Applied(),
		Alarms: slices.Concat(b.node.roomAlarms(), b.node.clock.Alarms(), b.node.tiers.Alarms(), b.node.gossip.Alarms(),
			b.node.certificates.alarms(), b.node.handing.alarms()),
	}
}

// add merges one node's answer: of two views of a link the better one holds, of two equal ones the later; of two reports
// on a site the one that beats the other.
func (s *survey) add(serverID string, answer peers.Links) {
	s.answered[serverID] = true
	for _, link := range answer.Links {
		known, there := s.links[link.Peer]
		better := rank(link.State) - rank(known.State)
		if !there || better > 0 || better == 0 && link.Since.After(known.Since) {
			s.links[link.Peer] = link
			if link.State != tiers.Down {
				s.carriers[link.Peer] = answer.Node
			}
		}
	}
	for _, reach := range answer.Reach {
		if known, there := s.reach[reach.Site]; !there || reach.Beats(known) {
			s.reach[reach.Site] = reach
		}
	}
	for _, alarm := range answer.Alarms {
		s.alarm(alarm)
	}
}

// alarm adds a sentence that no other node has said.
func (s *survey) alarm(text string) {
	for _, known := range s.alarms {
		if known == text {
			return
		}
	}
	s.alarms = append(s.alarms, text)
}

func rank(state tiers.LinkState) int {
	switch state {
	case tiers.Up:
		return 2
	case tiers.CatchingUp:
		return 1
	default:
		return 0
	}
}
