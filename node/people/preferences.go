package people

import (
	"context"
	"unicode/utf8"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// Bounds of what people arrange. Names and columns are counted in characters, filters in bytes.
const (
	maxFilters    = 20
	maxFilterName = 40
	maxFilter     = 4096
	maxColumns    = 20
	maxColumn     = 40
	maxQueue      = 240
)

// SetPreferences replaces how the actor has arranged the pages. Whether a filter can be carried out is not asked.
func (p *People) SetPreferences(ctx context.Context, actor *deskpb.Actor, preferences *apipb.Preferences) (*apipb.Preferences, error) {
	if err := desk.May(actor, desk.OwnPreferences); err != nil {
		return nil, err
	}
	if err := checkPreferences(preferences); err != nil {
		return nil, err
	}
	kept := &deskpb.Preferences{Columns: preferences.GetColumns(), Queue: preferences.GetQueue()}
	for _, saved := range preferences.GetFilters() {
		kept.Filters = append(kept.Filters, &deskpb.SavedFilter{Name: saved.GetName(), Filter: saved.GetFilter()})
	}
	err := p.propose(ctx, actor, &deskpb.Command{Kind: &deskpb.Command_SetPreferences{
		SetPreferences: &deskpb.SetPreferences{User: actor.GetUser(), Preferences: kept},
	}})
	if err != nil {
		return nil, err
	}
	return shownPreferences(kept), nil
}

// checkPreferences holds them to their form and bounds.
func checkPreferences(preferences *apipb.Preferences) error {
	if len(preferences.GetFilters()) > maxFilters {
		return desk.RefuseField("preferences.filters", "they are %d; at most %d are kept, delete one first", len(preferences.GetFilters()), maxFilters)
	}
	names := make([]string, 0, len(preferences.GetFilters()))
	for _, saved := range preferences.GetFilters() {
		switch {
		case saved.GetName() == "" || !isLine(saved.GetName(), maxFilterName):
			return desk.RefuseField("preferences.filters.name", "%.80q is not one line of 1 to %d characters", saved.GetName(), maxFilterName)
		case len(saved.GetFilter()) > maxFilter || !utf8.ValidString(saved.GetFilter()):
			return desk.RefuseField("preferences.filters.filter", "that of %s is not a text of at most %d bytes", saved.GetName(), maxFilter)
		}
		names = append(names, saved.GetName())
	}
	if repeats(names) {
		return desk.RefuseField("preferences.filters.name", "two filters have the same; give each another name")
	}
	if len(preferences.GetColumns()) > maxColumns || repeats(preferences.GetColumns()) {
		return desk.RefuseField("preferences.columns", "they are not at most %d different names", maxColumns)
	}
	for _, column := range preferences.GetColumns() {
		if column == "" || !isLine(column, maxColumn) {
			return desk.RefuseField("preferences.columns", "%.80q is not one line of 1 to %d characters", column, maxColumn)
		}
	}
	if !isLine(preferences.GetQueue(), maxQueue) {
		return desk.RefuseField("preferences.queue", "it is not one line of at most %d characters", maxQueue)
	}
	return nil
}

// shownPreferences are preferences as the API shows them; nil for none.
func shownPreferences(kept *deskpb.Preferences) *apipb.Preferences {
	if kept == nil {
		return nil
	}
	shown := &apipb.Preferences{Columns: kept.GetColumns(), Queue: kept.GetQueue()}
	for _, saved := range kept.GetFilters() {
		shown.Filters = append(shown.Filters, &apipb.SavedFilter{Name: saved.GetName(), Filter: saved.GetFilter()})
	}
	return shown
}
