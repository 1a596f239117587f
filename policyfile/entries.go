package policyfile

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/desk/policy"
)

// PutGroup lays a group over a policy file: in the place of the one with its name, or behind the others. One with removed set takes that
// of a layer above away. The rest of the text stays; see Amend for what is refused.
func PutGroup(source []byte, group *deskpb.Team) ([]byte, error) {
	return change(source, func(p *deskpb.Policy) { p.Groups = put(p.GetGroups(), group) })
}

// DropGroup takes out what a policy file says of a group, so that what a layer above says of it holds again.
func DropGroup(source []byte, name string) ([]byte, error) {
	return change(source, func(p *deskpb.Policy) { p.Groups = drop(p.GetGroups(), name) })
}

// PutRoster is PutGroup for a roster.
func PutRoster(source []byte, roster *deskpb.Roster) ([]byte, error) {
	return change(source, func(p *deskpb.Policy) { p.Rosters = put(p.GetRosters(), roster) })
}

// DropRoster is DropGroup for a roster.
func DropRoster(source []byte, name string) ([]byte, error) {
	return change(source, func(p *deskpb.Policy) { p.Rosters = drop(p.GetRosters(), name) })
}

// change amends a text by what a function makes of the layer that it is.
func change(source []byte, by func(*deskpb.Policy)) ([]byte, error) {
	layer, problems := Read(source)
	if len(problems) > 0 {
		return nil, fmt.Errorf("the policy of this office cannot be read: %s; correct the text first", problems[0])
	}
	by(layer)
	return Amend(source, layer)
}

func put[E proto.Message](entries []E, entry E) []E {
	i := slices.IndexFunc(entries, func(known E) bool { return policy.Key(known) == policy.Key(entry) })
	if i < 0 {
		return append(entries, entry)
	}
	entries[i] = entry
	return entries
}

func drop[E proto.Message](entries []E, name string) []E {
	return slices.DeleteFunc(entries, func(known E) bool { return policy.Key(known) == name })
}
