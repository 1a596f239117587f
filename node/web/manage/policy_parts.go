package manage

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/web/page"
	"github.com/tierdesk/tierdesk/policyfile"
)

// part is a section of the policy whose entries have forms of their own.
type part struct {
	key     string // the section
	path    string // of the page with all entries
	make    string // the page that makes one; no entry can be called such that it has this address
	word    string // what that page is called
	entries func(*deskpb.Policy) []partEntry
	// drop takes out of a text what it says of an entry, away writes that there is none here.
	drop, away func(source []byte, name string) ([]byte, error)
	// loss says in sentences what goes when an entry goes.
	loss func(v *page.Visit, p *deskpb.Policy, name string) []string
}

// partEntry is an entry of such a section.
type partEntry interface {
	entry
	GetRemoved() bool
}

func groupPart() part {
	return part{
		key: "groups", path: "/admin/groups", make: "/admin/new/group", word: "admin.groups", drop: policyfile.DropGroup, loss: groupLoss,
		away: func(source []byte, name string) ([]byte, error) {
			return policyfile.PutGroup(source, &deskpb.Team{Name: name, Removed: true})
		},
		entries: func(p *deskpb.Policy) (all []partEntry) {
			for _, group := range p.GetGroups() {
				all = append(all, group)
			}
			return all
		},
	}
}

func rosterPart() part {
	return part{
		key: "rosters", path: "/admin/rosters", make: "/admin/new/roster", word: "admin.rosters", drop: policyfile.DropRoster, loss: rosterLoss,
		away: func(source []byte, name string) ([]byte, error) {
			return policyfile.PutRoster(source, &deskpb.Roster{Name: name, Removed: true})
		},
		entries: func(p *deskpb.Policy) (all []partEntry) {
			for _, roster := range p.GetRosters() {
				all = append(all, roster)
			}
			return all
		},
	}
}

// pathOf is the page of an entry.
func (p part) pathOf(name string) string { return p.path + "/" + url.PathEscape(name) }

// origin is which layers say something of an entry.
type origin struct {
	publisher string // whose word holds; empty for the built-in policy
	own       bool   // this site's own layer says something of it
	above     bool   // it is there without this site's own layer
}

// originOf finds out whose word about an entry holds.
func (p part) originOf(v *page.Visit, h *holding, name string) (found origin) {
	locked := false
	for _, layer := range h.layers {
		entries := p.entries(layer.policy)
		i := slices.IndexFunc(entries, func(one partEntry) bool { return one.GetName() == name })
		if i >= 0 && !locked {
			found.publisher, found.own = layer.told.GetPublisher(), layer.told.GetPublisher() == v.SiteID
			if !found.own {
				found.above = !entries[i].GetRemoved()
			}
		}
		locked = locked || slices.Contains(layer.told.GetLocked(), p.key)
	}
	return found
}

// shown says where an entry comes from.
func (o origin) shown(v *page.Visit) string {
	switch {
	case o.publisher == "":
		return v.Word("admin.policy.built-in")
	case o.own && o.above:
		return v.Word("admin.part.over-above")
	case o.own:
		return v.Word("admin.part.own")
	}
	return v.SiteNamed(o.publisher)
}

// takenAway lists the entries of layers above that this site's own layer takes away.
func (p part) takenAway(v *page.Visit, h *holding) (gone []awayRow) {
	if h.lockedBy(v, p.key) != "" {
		return nil
	}
	for _, layer := range h.layers {
		if layer.told.GetPublisher() != v.SiteID {
			continue
		}
		for _, one := range p.entries(layer.policy) {
			if one.GetRemoved() {
				gone = append(gone, awayRow{Name: one.GetName(), Path: p.pathOf(one.GetName()) + "/remove"})
			}
		}
	}
	return gone
}

// awayRow is an entry of a layer above that does not hold here.
type awayRow struct{ Name, Path string }

// shut is why nobody changes a section here: the visitor may not, or a site above has locked it.
type shut struct {
	Edit   bool
	Locked string // why not; empty where it is not locked
}

func (p part) shut(v *page.Visit, h *holding) shut {
	s := shut{Edit: v.May(desk.PolicyApply)}
	if by := h.lockedBy(v, p.key); by != "" {
		s.Edit, s.Locked = false, v.Word("admin.part.locked", by, sectionName(v, p.key))
	}
	return s
}

// toChange reads the policy that holds and the people who may be named in it, for somebody who may change entries of the part.
func (p part) toChange(v *page.Visit) (*holding, colleagues, error) {
	h, err := readHolding(v)
	if err != nil {
		return nil, colleagues{}, err
	}
	if err := p.mayChange(v, h); err != nil {
		return nil, colleagues{}, err
	}
	people, err := readColleagues(v, h)
	return h, people, err
}

// mayChange refuses a change of a section that is shut.
func (p part) mayChange(v *page.Visit, h *holding) error {
	if err := desk.May(v.Actor, desk.PolicyApply); err != nil {
		return err
	}
	if by := h.lockedBy(v, p.key); by != "" {
		return desk.Refuse(desk.FailedPrecondition, "POLICY_LOCKED", "%s is locked by %s; ask there", p.key, by)
	}
	return nil
}

// notThere refuses what is asked of an entry that the policy does not have.
func (p part) notThere(name string) error {
	return desk.Refuse(desk.NotFound, "NO_POLICY_ENTRY", "the policy has no entry %.64q under %s; list all of them", name, p.key)
}

// serveRemoval shows what goes with an entry, and takes it away once that was seen: drop takes this site's own word back, so that the word above holds again, and away says that there is
// none here.
func (p part) serveRemoval(v *page.Visit) error {
	h, err := readHolding(v)
	if err != nil {
		return err
	}
	if err := p.mayChange(v, h); err != nil {
		return err
	}
	name, form := v.R.PathValue("name"), v.R.URL.Query()
	if v.R.Method == http.MethodPost {
		if form, err = v.Form(); err != nil {
			return err
		}
	}
	from := p.originOf(v, h, name)
	title := titleOf(v, p.entries(h.GetPolicy()), name)
	d := draft{
		title: v.Word("admin.part.remove", title), path: p.pathOf(name) + "/remove", part: p, typed: form,
	}
	holds := slices.ContainsFunc(p.entries(h.GetPolicy()), func(one partEntry) bool { return one.GetName() == name })
	switch way := form.Get("way"); {
	case !from.own && !from.above:
		return p.notThere(name)
	case from.own && way != "away":
		d.lay = func(own []byte) ([]byte, error) { return p.drop(own, name) }
		if from.above {
			d.title = v.Word("admin.part.restore", title)
			d.says = []string{v.Word("admin.part.restored")}
		}
	default:
		d.lay = func(own []byte) ([]byte, error) { return p.away(own, name) }
		d.says = []string{v.Word("admin.part.away")}
	}
	if from.own && from.above && holds {
		d.ways = choices([]string{"drop", "away"}, func(way string) string { return v.Word("admin.part.way." + way) }, form.Get("way"))
		d.ways[0].Chosen = !d.ways[1].Chosen
	}
	if d.title != v.Word("admin.part.restore", title) {
		d.says = append(p.loss(v, h.GetPolicy(), name), d.says...)
	}
	return d.serve(v, h)
}
