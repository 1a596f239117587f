package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
	"github.com/tierdesk/tierdesk/replication"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

const (
	// settlePause lies between two looks while something is still to be done, restPause afterwards: another node may
	// have been restored from a time before this one registered.
	settlePause = 100 * time.Millisecond
	restPause   = 5 * time.Second
	// settlePatience bounds one command of settling.
	settlePatience = 5 * time.Second
)

// settle founds the site if nobody has, makes the first administrator, and keeps this node's addresses in the directory,
// until the context ends. Any node may try; the log lets one of them succeed.
func (n *Node) settle(ctx context.Context) {
	said := ""
	for {
		done, err := n.settleOnce(ctx)
		if err != nil && ctx.Err() == nil && err.Error() != said {
			said = err.Error()
			n.log.Warn("settling in", "error", err)
		}
		pause := restPause
		if !done {
			pause = settlePause
		}
		_, _, changed := n.replica.Leading()
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-time.After(pause):
		}
	}
}

// settleOnce does what is next. It is done when nothing is left that this node can do now.
func (n *Node) settleOnce(ctx context.Context) (done bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, settlePatience)
	defer cancel()
	leading, _, _ := n.replica.Leading()
	founded, err := n.backend.founded()
	if err != nil {
		return false, err
	}
	if founded == nil {
		if !leading {
			return false, nil
		}
		return n.found(ctx)
	}
	if founded.Restored {
		if !leading {
			return false, nil
		}
		return false, n.awaken(ctx)
	}
	n.passOver(founded)
	if done, err := n.register(ctx); err != nil || !done {
		return false, err
	}
	if leading {
		return true, errors.Join(n.ensurePolicy(ctx, policy.Default()), n.ensureSurveyKey(ctx), n.ensureAdministrator(ctx), n.removeDead(ctx), n.tidyDirectory(ctx))
	}
	return true, nil
}

// removeDead takes a voter out of the group that was silent for longer than the configuration allows.
func (n *Node) removeDead(ctx context.Context) error {
	limit := n.config.Raft.RemoveDead()
	if limit == 0 {
		return nil
	}
	_, err := n.replica.RemoveSilent(ctx, limit)
	return err
}

// tidyDirectory removes the servers that are no members of the group: those taken out, and the former selves of nodes
// whose disk was replaced.
func (n *Node) tidyDirectory(ctx context.Context) error {
	own, err := n.ownEntry()
	if err != nil {
		return err
	}
	members := n.replica.Status().Members
	for _, node := range own.GetNodes() {
		if slices.ContainsFunc(members, func(m replication.Member) bool { return m.ID == node.ServerId }) {
			continue
		}
		_, err := n.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_RemoveNode{RemoveNode: &deskpb.RemoveNode{ServerId: node.ServerId}}})
		if err != nil {
			return fmt.Errorf("take server %s out of the directory: %w", node.ServerId, err)
		}
		n.log.Info("a server that left the group was taken out of the directory", "server", node.ServerId)
	}
	return nil
}

// ownEntry is this site's entry in the directory as this node has it, nil before there is one.
func (n *Node) ownEntry() (own *deskpb.SiteInfo, err error) {
	err = n.store.View(func(r *store.Reader) error {
		own, err = r.SiteInfo(desk.SiteID(n.config.Site.ID))
		return err
	})
	return own, err
}

// found proposes the first command of the site's log. The administrator is part of it, so that a site with a password
// given is never without one. It is done, with an error that says why, when the site must not be founded so.
func (n *Node) found(ctx context.Context) (done bool, err error) {
	site, err := n.newSite(ctx)
	if err != nil {
		reason := err.Error()
		n.unfounded.Store(&reason)
		return true, err
	}
	command := &deskpb.Found{Site: site, Policy: policy.Default()}
	if n.options.AdminPassword != "" {
		if command.Admin, err = n.administrator(ctx); err != nil {
			return false, err
		}
	}
	if _, err := n.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_Found{Found: command}}); err != nil {
		return false, fmt.Errorf("found site %s: %w", n.config.Site.ID, err)
	}
	n.log.Info("founded the site", "site", n.config.Site.ID, "name", n.config.DisplayName(), "tier", n.config.Site.Tier,
		"rebuilt", n.config.Recover)
	return false, nil
}

// newSite is the site as it is founded: the first life of a new one, or the next life of one whose data are lost.
func (n *Node) newSite(ctx context.Context) (*deskpb.Site, error) {
	site := &deskpb.Site{
		Id: n.config.Site.ID, Name: n.config.DisplayName(), Tier: n.config.Site.Tier.Proto(), Parent: n.config.Site.Parent,
	}
	incarnation, letters := tiers.NewIncarnation()
	site.Incarnation, site.SurveyKey = incarnation, newSurveyKey()
	if n.config.Recover {
		site.Letters, site.Recovering = letters, n.clock.Now().UnixMicro()
		return site, nil
	}
	if reason := n.knownAbove(ctx); reason != "" {
		return nil, errors.New(reason)
	}
	return site, nil
}

func (n *Node) administrator(ctx context.Context) (*deskpb.User, error) {
	admin, err := n.people.NewUser(ctx, &deskpb.User{Name: n.config.Admin.User, Role: deskpb.User_ADMINISTRATOR}, n.options.AdminPassword)
	if err != nil {
		return nil, fmt.Errorf("make the administrator %s with the password in %s: %w", n.config.Admin.User, n.config.Admin.PasswordEnv, err)
	}
	return admin, nil
}

// ensureAdministrator makes the administrator of a site that was founded without a password, once there is one.
func (n *Node) ensureAdministrator(ctx context.Context) error {
	var users []*deskpb.User
	err := n.store.View(func(r *store.Reader) (err error) {
		users, err = r.Users("", 1)
		return err
	})
	if err != nil || len(users) > 0 {
		return err
	}
	if n.options.AdminPassword == "" {
		return fmt.Errorf("nobody can sign in: the site has no administrator; put a password into %s and start this node again", n.config.Admin.PasswordEnv)
	}
	admin, err := n.administrator(ctx)
	if err != nil {
		return err
	}
	_, err = n.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_PutUser{PutUser: &deskpb.PutUser{User: admin, CreateOnly: true}}})
	return err
}

// register puts this node's addresses into the directory when they are not there. A node that is no member, not yet or
// no longer, waits.
func (n *Node) register(ctx context.Context) (done bool, err error) {
	self := n.self()
	member := slices.ContainsFunc(n.replica.Status().Members, func(m replication.Member) bool { return m.ID == self.ID })
	if !member || n.replica.Outside() != "" {
		return false, nil
	}
	want := &deskpb.NodeInfo{
		Id: n.config.Node.ID, ServerId: self.ID, Grpc: self.GRPC, Raft: self.Raft,
		Http:   reachable(n.listeners.http.Addr(), n.config.Listen.HTTP, n.config.Advertise.HTTP),
		Gossip: reachable(&net.TCPAddr{Port: n.gossip.Port()}, n.config.Listen.Gossip, n.config.Advertise.Gossip),
	}
	own, err := n.ownEntry()
	if err != nil {
		return false, err
	}
	for _, node := range own.GetNodes() {
		if proto.Equal(node, want) {
			return true, nil
		}
	}
	_, err = n.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_RegisterNode{RegisterNode: &deskpb.RegisterNode{Node: want}}})
	if err != nil {
		return false, fmt.Errorf("register this node in the directory: %w", err)
	}
	return true, nil
}
