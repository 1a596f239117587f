package console

import (
	"net/url"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// maxFilters is how many filters somebody keeps.
const maxFilters = 20

// preferences are what a person keeps in the own account for the desk.
type preferences struct {
	filters []savedFilter
	columns []string // empty: the usual ones
}

// savedFilter is a filter under a name.
type savedFilter struct{ name, filter string }

// preferencesOf reads what the visitor keeps.
func preferencesOf(v *page.Visit) (preferences, error) {
	caller, err := v.Caller()
	if err != nil {
		return preferences{}, err
	}
	said := caller.GetUser().GetPreferences()
	kept := preferences{columns: said.GetColumns()}
	for _, one := range said.GetFilters() {
		kept.filters = append(kept.filters, savedFilter{one.GetName(), one.GetFilter()})
	}
	return kept, nil
}

// keep writes it down, beside what other pages keep.
func (p preferences) keep(v *page.Visit) error {
	caller, err := v.Caller()
	if err != nil {
		return err
	}
	said := &apipb.Preferences{Queue: caller.GetUser().GetPreferences().GetQueue(), Columns: p.columns}
	for _, one := range p.filters {
		said.Filters = append(said.Filters, &apipb.SavedFilter{Name: one.name, Filter: one.filter})
	}
	_, err = v.API.Sessions.UpdatePreferences(v.Ctx(), &apipb.UpdatePreferencesRequest{Preferences: said})
	return err
}

// filtersShown are the kept filters as the left column shows them.
func filtersShown(kept preferences, at place) []queueShown {
	var shown []queueShown
	for _, filter := range kept.filters {
		shown = append(shown, queueShown{
			Word: filter.name, Icon: "filter", Link: place{queue: allTickets, filter: filter.filter}.address(),
			Here: at.queue == allTickets && at.filter == filter.filter,
		})
	}
	return shown
}

// nameOfFilter finds the name under which a filter is kept.
func nameOfFilter(kept preferences, filter string) (name string, there bool) {
	for _, one := range kept.filters {
		if one.filter == filter && filter != "" {
			return one.name, true
		}
	}
	return "", false
}

// serveFilter makes an address of what the filter bar sends, so that a list can be kept and passed on as a link.
func serveFilter(v *page.Visit) error {
	form := v.R.URL.Query()
	made := place{queue: allTickets, filter: readFilterForm(form).String(), order: form.Get("order")}
	if made.order == "priority" && form.Get("state") == "" || made.order == "priority" && form.Get("state") == unsolved {
		made.order = ""
	}
	return v.Redirect(made.address())
}

// serveKeepFilter keeps a filter under a name, in place of one of the same name, or forgets it.
func serveKeepFilter(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	kept, err := preferencesOf(v)
	if err != nil {
		return err
	}
	named := savedFilter{strings.TrimSpace(form.Get("name")), form.Get("filter")}
	done := "filter-kept"
	if form.Get("do") == "forget" {
		done = "filter-forgotten"
		kept.filters = slices.DeleteFunc(slices.Clone(kept.filters), func(one savedFilter) bool { return one.name == named.name })
	} else if kept, err = kept.with(named); err != nil {
		return err
	}
	if err := kept.keep(v); err != nil {
		return err
	}
	return v.Redirect(withDone(place{queue: allTickets, filter: named.filter, order: form.Get("order")}.address(), done))
}

// with adds a filter.
func (p preferences) with(named savedFilter) (preferences, error) {
	if named.name == "" || named.filter == "" {
		return p, desk.Refuse(desk.InvalidArgument, "FILTER_WITHOUT_NAME", "the filter or its name is empty; choose conditions and give them a name")
	}
	filters := slices.DeleteFunc(slices.Clone(p.filters), func(one savedFilter) bool { return one.name == named.name })
	if len(filters) >= maxFilters {
		return p, desk.Refuse(desk.FailedPrecondition, "TOO_MANY_FILTERS", "there are %d filters already; delete one first", maxFilters)
	}
	p.filters = append(filters, named)
	return p, nil
}

// backOf is the desk's place that an address names, the first one for any other address.
func backOf(address string) place {
	at, err := url.Parse(page.Local(address))
	if err != nil || at.Path != "/desk" {
		return place{}
	}
	return placeOf(at.Query())
}
