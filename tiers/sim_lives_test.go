package tiers

import (
	"fmt"
	"slices"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// simBackups is how many backups are kept.
const simBackups = 6

// back takes a backup of a site.
func (w *simWorld) back() error {
	s := w.site()
	backup, err := s.backup()
	if err != nil {
		return err
	}
	w.recorder.note("%s is backed up", s.name)
	w.backups = append(w.backups, backup)
	if len(w.backups) > simBackups {
		w.backups = slices.Delete(w.backups, 0, 1)
	}
	return nil
}

// drawBackup draws a backup of a life that still lives and has no double; ok is false when there is none.
func (w *simWorld) drawBackup() (backup *simBackup, ok bool) {
	if len(w.backups) == 0 || w.lives >= w.weather.lives {
		return nil, false
	}
	backup = w.backups[w.rng.IntN(len(w.backups))]
	living := w.living(backup.life.id)
	return backup, len(living) == 1
}

// nextName names another life of a site.
func (w *simWorld) nextName(id desk.SiteID) string {
	w.lives++
	return fmt.Sprintf("%s.%d", id, w.lives)
}

// letters draws an incarnation and letters for a later life.
func (w *simWorld) letters() (incarnation uint64, letters string) {
	return w.rng.Uint64() | 1, fmt.Sprintf("%c%c%c", 'A'+w.rng.IntN(26), 'A'+w.rng.IntN(26), '0'+w.rng.IntN(10))
}

// resurrect begins a life from a backup in the place of the present one, or beside it.
func (w *simWorld) resurrect(backup *simBackup, beside bool) (*simSite, error) {
	if !beside {
		if err := w.bury(w.living(backup.life.id)[0]); err != nil {
			return nil, err
		}
	}
	s, err := newSimSite(w, backup.life.id, w.nextName(backup.life.id), backup)
	if err != nil {
		return nil, err
	}
	return s, w.recorder.adopt(s)
}

// restore replaces a site by an older state of it, as an operator does who says so.
func (w *simWorld) restore() error {
	backup, ok := w.drawBackup()
	if !ok {
		return nil
	}
	s, err := w.resurrect(backup, false)
	if err != nil {
		return err
	}
	w.recorder.note("%s is restored as %s", s.id, s.name)
	if err := w.recover(s, "restored from a backup"); err != nil {
		return err
	}
	return w.raise(s)
}

// recover begins a new life of a site.
func (w *simWorld) recover(s *simSite, reason string) error {
	incarnation, letters := w.letters()
	result, _, err := s.entry(&deskpb.Command{Kind: &deskpb.Command_Reincarnate{Reincarnate: &deskpb.Reincarnate{
		Before: s.self().Incarnation, Incarnation: incarnation, Letters: letters, Reason: reason,
	}}})
	if err == nil && result.Refusal != nil {
		err = fmt.Errorf("begin a new life of %s: %s", s.name, result.Refusal.Message)
	}
	return err
}

// rollBack replaces a site by an older state of it without a word, as a virtual machine's snapshot does.
func (w *simWorld) rollBack() error {
	backup, ok := w.drawBackup()
	if !ok {
		return nil
	}
	s, err := w.resurrect(backup, false)
	if err != nil {
		return err
	}
	w.recorder.fork(s, s.self().Incarnation)
	w.recorder.note("%s is rolled back as %s", s.id, s.name)
	return w.raise(s)
}

// double starts a copy of a site beside it.
func (w *simWorld) double() error {
	backup, ok := w.drawBackup()
	if !ok {
		return nil
	}
	original := w.living(backup.life.id)[0]
	s, err := w.resurrect(backup, true)
	if err != nil {
		return err
	}
	w.recorder.fork(s, s.self().Incarnation)
	if original.self().Incarnation == s.self().Incarnation {
		w.recorder.fork(original, s.self().Incarnation)
	}
	w.recorder.note("%s is a copy beside %s", s.name, original.name)
	return w.raise(s)
}

// rebuild founds a site anew that has lost everything but its name.
func (w *simWorld) rebuild() error {
	s := w.site()
	if w.lives >= w.weather.lives || len(w.living(s.id)) > 1 {
		return nil
	}
	if err := w.bury(s); err != nil {
		return err
	}
	name := w.nextName(s.id)
	w.recorder.note("%s is rebuilt from nothing as %s", s.id, name)
	incarnation, letters := w.letters()
	return w.found(s.id, name, &deskpb.Site{Incarnation: incarnation, Letters: letters, Recovering: 1})
}

// simOperator is how long an operator waits for the sites to help themselves.
const simOperator = 2 * time.Minute

// operate does what operators do while the tree comes to rest: of several copies of a site all but one are stopped, and
// one that does not get on by itself begins a new life.
func (w *simWorld) operate(since time.Time) error {
	for _, s := range w.living("") {
		alone := len(w.living(s.id)) == 1
		frozen, late := s.self().GetFrozen() != "", time.Since(since) > simOperator
		switch {
		case !alone && (frozen && w.unfrozen(s.id) > 0 || late):
			w.recorder.note("an operator stops %s", s.name)
			if err := w.bury(s); err != nil {
				return err
			}
		case alone && (frozen || late && (w.recorder.isForked(s) || w.recorder.isFenced(s))):
			w.recorder.note("an operator recovers %s", s.name)
			if err := w.recover(s, "an operator said so"); err != nil {
				return err
			}
		}
	}
	return nil
}

// unfrozen counts the living lives of a site that are not frozen.
func (w *simWorld) unfrozen(id desk.SiteID) (count int) {
	for _, s := range w.living(id) {
		if s.self().GetFrozen() == "" {
			count++
		}
	}
	return count
}

// isForked tells whether a life shares its incarnation with another one and has not learnt it.
func (r *simRecorder) isForked(s *simSite) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.life(s).forked
}

// isFenced tells whether a neighbour refuses a life because it accepted another one: its alarm tells the operator.
func (r *simRecorder) isFenced(s *simSite) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fencedAnywhere(s, r.life(s))
}

// publish has a site publish a document, or take it back.
func (w *simWorld) publish() error {
	s := w.site()
	p := &deskpb.Publication{
		Kind: "notice", Name: fmt.Sprint("n", w.rng.IntN(3)), Title: "停机通知", Actor: "li", Removed: w.rng.IntN(4) == 0,
	}
	if !p.Removed {
		p.MediaType, p.Body = "text/plain", fmt.Append(nil, "版本 ", w.rng.IntN(1000))
	}
	if !s.led() {
		return nil
	}
	if w.rng.IntN(3) == 0 {
		var err error
		if p, err = w.layer(); err != nil {
			return err
		}
	}
	result, _, err := s.entry(&deskpb.Command{Kind: &deskpb.Command_PutPublication{PutPublication: &deskpb.PutPublication{Publication: p}}})
	w.recorder.note("%s publishes %s, removed: %v: %s", s.name, p.Name, p.Removed, result.GetRefusal().GetReason())
	return err
}

// move has the province put a county below another parent.
func (w *simWorld) move() error {
	counties := []desk.SiteID{"330101", "330102", "330201", "330202", "330301", "330302"}
	parents := []desk.SiteID{"330000", "330100", "330200", "330300"}
	county, parent := counties[w.rng.IntN(len(counties))], parents[w.rng.IntN(len(parents))]
	province := w.living("330000")[0]
	if !province.led() || w.moves >= w.weather.moves {
		return nil
	}
	w.moves++
	w.recorder.passes(county, parent)
	result, _, err := province.entry(&deskpb.Command{Kind: &deskpb.Command_PlaceSite{PlaceSite: &deskpb.PlaceSite{
		Step:      deskpb.PlaceSite_MOVE,
		Placement: &deskpb.Placement{Site: string(county), Parent: string(parent), Actor: "li", Reason: "区划调整"},
	}}})
	w.recorder.note("%s is moved below %s: %s", county, parent, result.GetRefusal().GetReason())
	return err
}
