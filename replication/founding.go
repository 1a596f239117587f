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
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
)

const (
	helloTime = 2 * time.Second
	joinTime  = 15 * time.Second
	idleGreet = 10 // times the usual pause, for a server that is in its group

	// memberKey stands beside Raft's term and vote once this server has been a member.
	memberKey = "TierdeskMember"

	notMember = "this server was taken out of its group; to take it in again as a new one stop it, move its data " +
		"directory away and start it"
	secondGroup = "this server founded its site a second time, and the other group has more members; stop it, move its " +
		"data directory away, name the other nodes in raft.join and start it"
)

// founder gets this server into its group: it founds one with the others, joins one, or waits to be contacted by one.
// Later it learns the addresses that are missing, and greets the members that are silent.
type founder struct {
	*Replica
	expect int
	join   []string
	every  time.Duration
	// joining is set while this server is to become a voter of a group that exists. A server that was taken out stays out.
	joining bool
	// said is the last thing logged at each level: what is waited for is told once, not in every round.
	said map[slog.Level]string
}

// run greets until the replica stops.
func (f *founder) run(ctx context.Context) {
	servers := f.servers()
	_, member := findServer(servers, f.self.ID)
	// Who was no member yet when it stopped goes on joining; who was one and is no more was taken out.
	f.joining = len(servers) == 0 || member || !f.wasMember() && !f.logged()
	if !f.joining {
		f.note()
	}
	for {
		if f.due() {
			f.round(ctx)
		}
		f.joining = f.joining && !f.voting()
		f.noticeMembership()
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

// due tells whether somebody is to be greeted: to found or to join, because an address is missing or no leader is heard,
// or because a member is silent, which may be back with an empty disk and know nobody.
func (f *founder) due() bool {
	if f.joining || f.Outside() != "" || len(f.strangers()) > 0 {
		return true
	}
	if _, leader := f.raft.LeaderWithID(); leader == "" {
		return true
	}
	_, leads := f.leads()
	return slices.ContainsFunc(f.servers(), func(s raft.Server) bool {
		return f.address(string(s.ID)) == "" || leads && !f.answers(s.ID)
	})
}

// noticeMembership remembers on disk that this server is or was a member, and tells once that it is one no more.
func (f *founder) noticeMembership() {
	if _, member := findServer(f.servers(), f.self.ID); member || f.seated.Load() {
		f.note()
	}
	if outside := f.Outside(); outside != "" {
		f.warn(outside)
	}
}

func (f *founder) note() {
	if f.noted() {
		return
	}
	if err := f.disk.Set([]byte(memberKey), []byte{1}); err != nil {
		f.warn("the membership was not noted", "error", err)
	}
}

// logged tells whether the log made this server a member at some time. It is read when the server is none and has not
// noted that it was one: the note may come half a second after the entry.
func (f *founder) logged() bool {
	first, firstErr := f.disk.FirstIndex()
	last, lastErr := f.disk.LastIndex()
	if firstErr != nil || lastErr != nil || first == 0 {
		return false
	}
	for index := first; index <= last; index++ {
		var entry raft.Log
		if err := f.disk.GetLog(index, &entry); err != nil || entry.Type != raft.LogConfiguration {
			continue
		}
		if _, member := findServer(raft.DecodeConfiguration(entry.Data).Servers, f.self.ID); member {
			return true
		}
	}
	return false
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
	founded := len(f.servers()) > 0
	answers, silent := f.greetAll(ctx)
	var hosts []Hello
	for _, answer := range answers {
		if answer.Founded {
			hosts = append(hosts, answer)
		}
	}
	if founded {
		f.hearMembers(hosts)
	}
	if !f.joining || f.voting() {
		return
	}
	switch {
	case len(hosts) > 0:
		f.joinOne(ctx, hosts)
	case founded:
		f.wait("waiting for a member of the group to answer", silent)
	default:
		f.found(ctx, answers, silent)
	}
}

// hearMembers judges by what members of a group answer, the members they have, whether this server is still one.
func (f *founder) hearMembers(hosts []Hello) {
	servers := f.servers()
	listed, outside := false, ""
	for _, host := range hosts {
		_, fellow := findServer(servers, host.Self.ID)
		fellow = fellow || slices.ContainsFunc(host.Known, func(s Server) bool {
			_, ok := findServer(servers, s.ID)
			return ok
		})
		switch {
		case slices.ContainsFunc(host.Known, func(s Server) bool { return s.ID == f.self.ID }):
			listed = true
		case fellow && f.voting():
			outside = notMember
		case !fellow && len(servers) < len(host.Known):
			outside = secondGroup
		case !fellow:
			f.warn("there is a second group of this site; stop its server, move its data directory away, name the other nodes in "+
				"its raft.join and start it", "server", host.Self.ID, "at", host.Self.GRPC)
		}
	}
	if listed {
		outside = ""
	}
	if len(hosts) > 0 {
		f.roster.place(outside)
	}
}

// greetAll says hello to the configured and the known addresses. It returns the answers by server id.
func (f *founder) greetAll(ctx context.Context) (answers map[string]Hello, silent []string) {
	addresses := slices.Clone(f.join)
	for _, s := range slices.Concat(f.roster.list()[1:], f.known()[1:]) {
		if s.GRPC != "" {
			addresses = append(addresses, s.GRPC)
		}
	}
	slices.Sort(addresses)
	answers = make(map[string]Hello)
	for _, address := range slices.Compact(addresses) {
		if address == f.self.GRPC {
			continue
		}
		answer, err := f.greet(ctx, address)
		switch {
		case errors.Is(err, ErrRefused):
			silent = append(silent, address)
			f.warn("a node refuses this one", "error", err)
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
	return f.peers.Hello(ctx, address, f.known())
}

// found founds the group alone when that is configured and nobody greeted this server, or when exactly the expected
// servers know each other, all unfounded and with the same list: then the one with the lowest id makes all of them voters,
// and the others wait for it. No server is in two such sets, because a list only grows.
func (f *founder) found(ctx context.Context, answers map[string]Hello, silent []string) {
	known, others := f.roster.list(), f.others()
	ids := strings.Join(sortedIDs(known), " ")
	switch {
	case f.expect == 1 && len(others) == 0 && len(answers) == len(known)-1: // nobody who greeted this server is silent
		f.bootstrap(ctx, known[:1])
	case f.expect == 1 && len(others) == 0:
		f.wait("waiting for the node that greeted this one, to join its group if it has one", silent, "known", ids)
	case f.expect == 1:
		f.wait("waiting for a node of raft.join to take this one in", silent, "asked", strings.Join(others, " "))
	case len(known) > f.expect:
		f.say("more servers are known than bootstrap_expect says; correct it, or stop and wipe the extra ones",
			"known", ids, "expected", f.expect)
	case len(known) < f.expect:
		f.wait("waiting for more nodes to found the site", silent, "known", ids, "expected", f.expect)
	case !agreed(known, answers):
		f.say("waiting for all nodes to know each other", "known", ids)
	case sortedIDs(known)[0] == f.self.ID:
		f.bootstrap(ctx, known)
	default:
		f.say("waiting for the founder", "founder", sortedIDs(known)[0])
	}
}

// others are the configured addresses without this server's own, which stands there when all nodes share one list.
func (f *founder) others() []string {
	return slices.DeleteFunc(slices.Clone(f.join), func(address string) bool { return address == f.self.GRPC })
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
func (f *founder) say(message string, args ...any) { f.log(slog.LevelInfo, message, args...) }

// wait is say for what this server waits for; it ends with the addresses that do not answer, if there are any.
func (f *founder) wait(message string, silent []string, args ...any) {
	if len(silent) > 0 {
		args = append(args, "silent", strings.Join(silent, " "))
	}
	f.say(message, args...)
}

// warn is say for what an operator must do something about.
func (f *founder) warn(message string, args ...any) { f.log(slog.LevelWarn, message, args...) }

func (f *founder) log(level slog.Level, message string, args ...any) {
	line := message + fmt.Sprint(args...)
	if line == f.said[level] {
		return
	}
	if f.said == nil {
		f.said = make(map[slog.Level]string)
	}
	f.said[level] = line
	f.logger.Log(context.Background(), level, message, args...)
}

// Greet answers a peer's Hello. known begins with the caller.
func (r *Replica) Greet(known []Server) Hello {
	if len(known) > 0 {
		r.roster.meet(known[0])
		r.roster.hear(known[1:])
	}
	return Hello{Site: r.site, Self: r.self, Founded: len(r.servers()) > 0, Known: r.known()}
}

// known is this server and those that it tells others of: the members once there is a group, with the grpc addresses that
// are known, and before that whoever it heard of.
func (r *Replica) known() []Server {
	servers := r.servers()
	if len(servers) == 0 {
		return r.roster.list()
	}
	known := []Server{r.self}
	for _, s := range servers {
		if id := string(s.ID); id != r.self.ID {
			known = append(known, Server{ID: id, Raft: string(s.Address), GRPC: r.address(id)})
		}
	}
	return known
}

// strangers are the servers that greeted this one and are no members of its group. Before there is a group there are none.
func (r *Replica) strangers() []Server {
	servers := r.servers()
	if len(servers) == 0 {
		return nil
	}
	return slices.DeleteFunc(r.roster.list()[1:], func(s Server) bool {
		_, member := findServer(servers, s.ID)
		return member
	})
}

// wasMember tells whether this server has been a member since its data directory was made.
func (r *Replica) wasMember() bool { return r.seated.Load() || r.noted() }

// noted tells whether the disk says that this server was a member. When that cannot be read it counts as one: it then
// stays out rather than slip back in.
func (r *Replica) noted() bool {
	_, err := r.disk.Get([]byte(memberKey))
	return !errors.Is(err, raftboltdb.ErrKeyNotFound)
}

// Outside says why this server, which was a member of its group, must not act as one any more and what to do, "" when
// nothing speaks against it.
func (r *Replica) Outside() string {
	servers := r.servers()
	if _, member := findServer(servers, r.self.ID); len(servers) > 0 && !member {
		if r.wasMember() {
			return notMember
		}
		return ""
	}
	return r.roster.outside()
}
