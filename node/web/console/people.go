package console

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// colleagues are the groups of the site, in the order of its policy, and the people in them: whom tickets can be given to.
type colleagues struct {
	groups []*apipb.DutyGroup
	names  map[string]string // how people are called, by user
	titles map[string]string // how groups are called, by name
}

// colleaguesOf asks who works here.
func colleaguesOf(v *page.Visit) (colleagues, error) {
	duty, err := v.API.Duties.ListDuty(v.Ctx(), &apipb.ListDutyRequest{})
	if err != nil {
		return colleagues{}, err
	}
	c := colleagues{groups: duty.GetGroups(), names: map[string]string{}, titles: map[string]string{}}
	for _, group := range c.groups {
		c.titles[group.GetName()] = cmp.Or(inLanguage(v, group.GetTitle()), group.GetName())
		for _, member := range group.GetMembers() {
			c.names[member.GetUser()] = cmp.Or(member.GetDisplayName(), member.GetUser())
		}
	}
	return c, nil
}

// inLanguage chooses the visitor's language of what a policy says in two; empty when it says nothing.
func inLanguage(v *page.Visit, words interface {
	GetZh() string
	GetEn() string
}) string {
	if v.Lang == page.English {
		return cmp.Or(words.GetEn(), words.GetZh())
	}
	return cmp.Or(words.GetZh(), words.GetEn())
}

// person is how somebody is called; the user itself where that is not known here.
func (c colleagues) person(user string) string { return cmp.Or(c.names[user], user) }

// group is how a group is called; its name where the policy does not have it.
func (c colleagues) group(name string) string { return cmp.Or(c.titles[name], name) }

// option is something to choose from a list.
type option struct {
	Value, Word string
	Chosen      bool
}

// options is a part of a list to choose from, under a heading.
type options struct {
	Word    string
	Choices []option
}

// crew are the people of a group to choose from: who is on duty first, then the others, of whom that is said.
func (c colleagues) crew(v *page.Visit, group *apipb.DutyGroup) []option {
	members := slices.Clone(group.GetMembers())
	slices.SortStableFunc(members, func(a, b *apipb.DutyMember) int {
		if a.GetOn() == b.GetOn() {
			return 0
		} else if a.GetOn() {
			return -1
		}
		return 1
	})
	shown := make([]option, len(members))
	for i, member := range members {
		shown[i] = option{Value: member.GetUser(), Word: c.person(member.GetUser())}
		if !member.GetOn() {
			shown[i].Word = v.Word("desk.off-duty", shown[i].Word)
		}
	}
	return shown
}

// heirs are those whom a ticket can be given to, a group at a time: the group as a whole first, then its people.
func (c colleagues) heirs(v *page.Visit, chosen string) []options {
	shown := make([]options, 0, len(c.groups))
	for _, group := range c.groups {
		title := c.group(group.GetName())
		part := options{Word: title, Choices: []option{{Value: heir{group: group.GetName()}.String(), Word: v.Word("desk.whole-group", title)}}}
		for _, one := range c.crew(v, group) {
			part.Choices = append(part.Choices, option{Value: heir{group.GetName(), one.Value}.String(), Word: one.Word})
		}
		for i := range part.Choices {
			part.Choices[i].Chosen = part.Choices[i].Value == chosen
		}
		shown = append(shown, part)
	}
	return shown
}

// people are all who work in a group, by how they are called.
func (c colleagues) people() []option {
	shown := make([]option, 0, len(c.names))
	for user, name := range c.names {
		shown = append(shown, option{Value: user, Word: name})
	}
	slices.SortFunc(shown, func(a, b option) int { return cmp.Or(cmp.Compare(a.Word, b.Word), cmp.Compare(a.Value, b.Value)) })
	return shown
}

// heir is whom a ticket is given to: a group, or a person in a group. The zero heir is nobody.
type heir struct{ group, user string }

// String is the heir as a form sends it: "group|user".
func (h heir) String() string { return h.group + "|" + h.user }

// readHeir undoes String. A text that no list has offered names nobody that the API knows.
func readHeir(text string) heir {
	group, user, _ := strings.Cut(text, "|")
	return heir{group, user}
}
