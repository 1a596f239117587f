package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tierdesk/tierdesk/authority"
	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/identity"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

const (
	// The list of revoked certificates is a document that the province publishes, and a file in the data directory, so that a
	// node that starts without a line knows it.
	revocationsKind = "revocations"
	revocationsName = "crl"
	revocationsType = "application/pkix-crl"
	revocationsFile = "revoked.crl"

	// lookForRevocations is the time between two looks at what was published, and at the authority's own list.
	lookForRevocations = 2 * time.Second
	// publishPatience bounds one try to publish a list.
	publishPatience = 5 * time.Second
)

// revocations keeps this node's list of revoked certificates as new as the lists that reach it. It trusts none of them for
// where it comes from: the tree's authority has signed it, or it does not count.
type revocations struct {
	site *site
	self desk.SiteID
	own  *identity.Identity
	file string
	// authority is that of the tree, where its directory is at this node; nil elsewhere. Its list is published by this node.
	authority *authority.Authority
	// changed is called after another list has taken effect.
	changed func()
	log     *slog.Logger

	// Only load and then keep use these.
	list    []byte                              // in effect; nil: none yet
	unsaved bool                                // the file does not have it
	known   map[desk.SiteID]*deskpb.Publication // by publisher, as they were read last

	complaint complaint
}

// load takes up the list that an earlier run has kept. One that cannot be used is complained of and left: the next one that is
// published takes its place.
func (r *revocations) load() {
	list, err := os.ReadFile(r.file)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = r.take(list)
	}
	if err != nil {
		r.complain(fmt.Errorf("take up %s: %w", r.file, err))
	}
	r.unsaved = false
}

// keep looks for newer lists until the context ends.
func (r *revocations) keep(ctx context.Context) {
	ticker := time.NewTicker(lookForRevocations)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			err := r.look(ctx)
			if ctx.Err() == nil {
				r.complain(err)
			}
		}
	}
}

// look takes up whatever is newer, keeps it, and publishes it where the authority is.
func (r *revocations) look(ctx context.Context) error {
	complaints := []error{r.read()}
	for _, publisher := range slices.Sorted(maps.Keys(r.known)) {
		if err := r.take(r.known[publisher].Body); err != nil {
			complaints = append(complaints, fmt.Errorf("what %s has published: %w", publisher, err))
		}
	}
	if r.authority != nil {
		list, err := r.authority.Revocations()
		if err == nil {
			err = r.take(list)
		}
		complaints = append(complaints, err)
	}
	if r.unsaved {
		err := authority.WriteFile(r.file, r.list, 0o644)
		r.unsaved = err != nil
		complaints = append(complaints, err)
	}
	if r.authority != nil && complaints[0] == nil {
		complaints = append(complaints, r.publish(ctx))
	}
	return errors.Join(complaints...)
}

// take has a list take effect when it is newer than the one that is.
func (r *revocations) take(list []byte) error {
	if len(list) == 0 || bytes.Equal(list, r.list) {
		return nil
	}
	changed, err := r.own.Revoked(list)
	if err != nil || !changed {
		return err
	}
	r.list, r.unsaved = list, true
	r.log.Info("a list of revoked certificates has taken effect", "bytes", len(list))
	r.changed()
	return nil
}

// read makes known what this site and those above it have published, as this node has it.
func (r *revocations) read() error {
	err := r.site.View(func(reader *store.Reader) error {
		founded, err := reader.Site()
		if err != nil || founded == nil {
			return err
		}
		here, err := tiers.Here(reader)
		if err != nil {
			return err
		}
		now := make(map[desk.SiteID]*deskpb.Publication)
		for _, publisher := range here.Path {
			head, err := reader.PublicationHead(publisher, revocationsKind, revocationsName)
			if err != nil {
				return err
			}
			if head == nil || head.Removed {
				continue
			}
			if now[publisher] = r.known[publisher]; now[publisher].GetVersion() == head.Version {
				continue
			}
			if now[publisher], err = reader.Publication(publisher, revocationsKind, revocationsName); err != nil {
				return err
			}
		}
		r.known = now
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the published revocation list: %w", err)
	}
	return nil
}

// publish has this site publish the list in effect, unless it has. Every node that has the authority may: a list that is
// published already changes nothing.
func (r *revocations) publish(ctx context.Context) error {
	if bytes.Equal(r.known[r.self].GetBody(), r.list) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, publishPatience)
	defer cancel()
	result, err := r.site.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_PutPublication{PutPublication: &deskpb.PutPublication{
		Publication: &deskpb.Publication{
			Kind: revocationsKind, Name: revocationsName, Title: "吊销的证书", MediaType: revocationsType, Body: r.list,
		},
	}}})
	if err != nil {
		return fmt.Errorf("publish the revocation list: %w", err)
	}
	if refusal := result.GetRefusal(); refusal != nil {
		return fmt.Errorf("publish the revocation list: %s", refusal.Message)
	}
	r.log.Info("the list of revoked certificates was published", "bytes", len(r.list))
	return nil
}

// complain keeps what is wrong for alarms, and logs it when it is another thing than before.
func (r *revocations) complain(err error) {
	sentence := ""
	if err != nil {
		sentence = "the list of revoked certificates is not kept up: " + strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	if r.complaint.put(sentence) {
		r.log.Warn(sentence)
	}
}

// alarms tells what an operator should see to.
func (r *revocations) alarms() []string {
	if r == nil {
		return nil
	}
	return r.complaint.alarms()
}
