package replication

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/raft"
)

const (
	helloTime = 2 * time.Second
	joinTime  = 15 * time.Second
	idleGreet = 10 // times the usual pause, when only addresses are missing
)

// founder gets this server into its group: it founds one with the others, joins one, or waits to be contacted by one.
// Later it learns the addresses that are missing.
type founder struct {
	*Replica
	expect int
	join   []string
	every  time.Duration
	// joining is set while this server is to become a voter of a group that exists. A server that was taken out stays out.
	joining bool
	said    string // the last thing logged: what is waited for is told once, not in every round
}

// run greets until the replica stops.
func (f *founder) run(ctx context.Context) {
	servers := f.servers()
	_, member := findServer(servers, f.self.ID)
	f.joining = len(servers) == 0 || member
	if !f.joining {
		f.logger.Warn("this server is not a member of its group; to take it in again move its data directory away and start it",
			"server", f.self.ID)
	}
	for {
		if !f.settled() {
			f.round(ctx)
		}
		f.joining = f.joining && !f.voting()
		pause := f.every
		if !f.joining {
			pause *= idleGreet
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// settled tells whether there is nothing to found, to join or to learn.
func (f *founder) settled() bool {
	return !f.joining && !slices.ContainsFunc(f.servers(), func(s raft.Server) bool { return f.address(string(s.ID)) == "" })
}

// voting tells whether this server has or had a vote since it was started.
func (f *founder) voting() bool {
	if f.seated.Load() {
		return true
	}
	s, ok := findServer(f.servers(), f.self.ID)
	return ok && s.Suffrage == raft.Voter
}

// round greets everybody once and does what their answers call for.
func (f *founder) round(ctx context.Context) {
	if f.expect == 1 && len(f.join) == 0 && len(f.servers()) == 0 {
		f.bootstrap(ctx, []Server{f.self})
		return
	}
	answers, silent := f.greetAll(ctx)
	if !f.joining || f.voting() { // only addresses were missing
		return
	}
	var hosts []Hello
	for _, answer := range answers {
		if answer.Founded {
			hosts = append(hosts, answer)
		}
	}
	switch {
	case len(hosts) > 0:
		f.joinOne(ctx, hosts)
	case len(f.servers()) > 0:
		f.say("waiting for a member of the group to answer", "silent", strings.Join(silent, " "))
	default:
		f.found(ctx, answers, silent)
	}
}

// greetAll says hello to the configured and the known addresses. It returns the answers by server id.
func (f *founder) greetAll(ctx context.Context) (answers map[string]Hello, silent []string) {
	addresses := slices.Clone(f.join)
	for _, s := range f.roster.list()[1:] {
		addresses = append(addresses, s.GRPC)
	}
	slices.Sort(addresses)
	answers = make(map[string]Hello)
	for _, address := range slices.Compact(addresses) {
		if address == f.self.GRPC {
			continue
		}
		answer, err := f.greet(ctx, address)
		switch {
		case err != nil:
			silent = append(silent, address)
			f.logger.Debug("a node did not answer", "address", address, "error", err)
		case answer.Site != f.site:
			silent = append(silent, address)
			f.say("a node of another site answers; correct raft.join", "address", address, "its site", answer.Site)
		case answer.Self.ID != f.self.ID:
			f.roster.meet(answer.Self)
			f.roster.hear(answer.Known)
			answers[answer.Self.ID] = answer
		}
	}
	return answers, silent
}

func (f *founder) greet(ctx context.Context, address string) (Hello, error) {
	ctx, cancel := context.WithTimeout(ctx, helloTime)
	defer cancel()
	return f.peers.Hello(ctx, address, f.roster.list())
}

// found founds the group when exactly the expected servers know each other, all unfounded and with the same list: then
// the one with the lowest id makes all of them voters, and the others wait for it. No server is in two such sets,
// because a list only grows.
func (f *founder) found(ctx context.Context, answers map[string]Hello, silent []string) {
	known := f.roster.list()
	switch {
	case f.expect == 1:
		f.say("waiting for a node of raft.join to take this one in", "silent", strings.Join(silent, " "))
	case len(known) > f.expect:
		f.say("more servers are known than bootstrap_expect says; correct it, or stop and wipe the extra ones",
			"known", strings.Join(sortedIDs(known), " "), "expected", f.expect)
	case len(known) < f.expect:
		f.say("waiting for more nodes to found the site", "known", strings.Join(sortedIDs(known), " "),
			"expected", f.expect, "silent", strings.Join(silent, " "))
	case !agreed(known, answers):
		f.say("waiting for all nodes to know each other", "known", strings.Join(sortedIDs(known), " "))
	case sortedIDs(known)[0] == f.self.ID:
		f.bootstrap(ctx, known)
	default:
		f.say("waiting for the founder", "founder", sortedIDs(known)[0])
	}
}

// agreed tells whether every server but the first, which is this one, answered that it knows the same servers.
func agreed(known []Server, answers map[string]Hello) bool {
	return !slices.ContainsFunc(known[1:], func(s Server) bool {
		answer, ok := answers[s.ID]
		return !ok || answer.Founded || !sameServers(answer.Known, known)
	})
}

func (f *founder) bootstrap(ctx context.Context, servers []Server) {
	var configuration raft.Configuration
	for _, s := range servers {
		configuration.Servers = append(configuration.Servers, raft.Server{
			Suffrage: raft.Voter, ID: raft.ServerID(s.ID), Address: raft.ServerAddress(s.Raft),
		})
	}
	err := f.await(ctx, func() error { return f.raft.BootstrapCluster(configuration).Error() })
	switch {
	case err == nil:
		f.logger.Info("the group is founded", "servers", strings.Join(sortedIDs(servers), " "))
	case ctx.Err() == nil:
		f.say("the group is not founded yet", "error", err)
	}
}

// joinOne asks the founded nodes in turn until one that leads takes this server in.
func (f *founder) joinOne(ctx context.Context, hosts []Hello) {
	var refusals []string
	for _, host := range hosts {
		bounded, cancel := context.WithTimeout(ctx, joinTime)
		err := f.peers.Join(bounded, host.Self.GRPC, f.self)
		cancel()
		if err == nil {
			f.logger.Info("this server was taken into the group", "by", host.Self.ID)
			return
		}
		if !errors.Is(err, ErrNotLeader) {
			refusals = append(refusals, fmt.Sprintf("%s: %v", host.Self.ID, err))
		}
	}
	if len(refusals) == 0 {
		f.say("waiting for the group to have a leader that takes this server in")
		return
	}
	slices.Sort(refusals)
	f.say("this server was not taken in yet", "reasons", strings.Join(refusals, "; "))
}

// say logs what differs from the last thing said.
func (f *founder) say(message string, args ...any) {
	line := message + fmt.Sprint(args...)
	if line == f.said {
		return
	}
	f.said = line
	f.logger.Log(context.Background(), slog.LevelInfo, message, args...)
}

// Greet answers a peer's Hello. known begins with the caller.
func (r *Replica) Greet(known []Server) Hello {
	if len(known) > 0 {
		r.roster.meet(known[0])
		r.roster.hear(known[1:])
	}
	return Hello{Site: r.site, Self: r.self, Founded: len(r.servers()) > 0, Known: r.roster.list()}
}
