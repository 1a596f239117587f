package desk

import (
	"fmt"
	"slices"
)

// locate finds the path that the decision's events carry: the one by the directory when it leads through this site, so
// that an office that moved takes its tickets along; else the one that the ticket knows, completed by what this site
// knows of its own ancestors.
func (w *writer) locate() error {
	placed, err := w.placed()
	if err != nil {
		return err
	}
	here, known := string(w.here.Site), w.record.GetPath()
	ancestors := w.here.Path[min(1, len(w.here.Path)):]
	if !slices.Contains(placed, here) {
		w.astray = slices.ContainsFunc(ancestors, func(site SiteID) bool { return slices.Contains(placed, string(site)) })
		placed = known
		if i := slices.Index(known, here); i >= 0 {
			placed = climb(known[:i+1], ancestors)
		}
	}
	if len(placed) <= len(known) && slices.Equal(placed, known[:len(placed)]) {
		placed = known
	}
	w.path = slices.Clone(placed)
	return nil
}

// placed returns the path from the ticket's home by the directory, as far as it makes sense.
func (w *writer) placed() ([]string, error) {
	home, sites := SiteID(w.ticket().GetHomeSite()), w.here.Path
	if w.record == nil {
		home = w.here.Site
	}
	if home != w.here.Site {
		var err error
		if sites, err = w.view.Path(home); err != nil {
			return nil, fmt.Errorf("find the path of ticket %s: %w", w.number(), err)
		}
	}
	return climb([]string{string(home)}, sites[min(1, len(sites)):]), nil
}

// climb continues a path upward. What a site knows of others comes from its neighbours: the path ends where they name no
// site, or one that is on the way already.
func climb(path []string, ancestors []SiteID) []string {
	path = slices.Clone(path)
	for _, site := range ancestors {
		if !site.Valid() || slices.Contains(path, string(site)) {
			break
		}
		path = append(path, string(site))
	}
	return path
}

// wayHome returns the next site on the way to the ticket's home, empty at home. A path whose author did not know it up to
// this site leads here from its end.
func (w *writer) wayHome() string {
	next := slices.Index(w.path, string(w.here.Site)) - 1
	switch {
	case w.atHome() || len(w.path) == 0:
		return ""
	case next < 0:
		next = len(w.path) - 1
	}
	return w.path[next]
}

// wayUp returns the parent, empty at the top of the tree.
func (w *writer) wayUp() string {
	if len(w.here.Path) < 2 {
		return ""
	}
	return string(w.here.Path[1])
}

// isBelow tells whether a site stands on the way from here to the ticket's home.
func (w *writer) isBelow(site string) bool {
	i := slices.Index(w.path, site)
	return i >= 0 && i < slices.Index(w.path, string(w.here.Site))
}
