package api

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// wanted is the test that a list of users asks for, nil for all users.
func (u *users) wanted(ctx context.Context, r *apipb.ListUsersRequest) (func(*deskpb.User) bool, error) {
	if _, known := apipb.User_Role_name[int32(r.GetRole())]; !known {
		return nil, desk.RefuseField("role", "%d is unknown; leave it out for people of all roles", r.GetRole())
	}
	if len(r.GetSearch()) > maxSearch {
		return nil, desk.RefuseField("search", "has %d bytes; at most %d are looked for", len(r.GetSearch()), maxSearch)
	}
	role := deskpb.User_Role(r.GetRole())
	words := strings.Fields(strings.ToLower(r.GetSearch()))
	if len(words) == 0 && role == deskpb.User_ROLE_UNSPECIFIED {
		return nil, nil
	}
	sought := make([]soughtWord, len(words))
	err := u.backend.Read(ctx, true, func(reader *store.Reader) error {
		policy, err := tiers.Policy(reader)
		if err != nil {
			return fmt.Errorf("read the groups of the policy: %w", err)
		}
		for i, word := range words {
			sought[i] = newSoughtWord(word, policy.GetGroups())
		}
		return nil
	})
	return func(user *deskpb.User) bool {
		return (role == deskpb.User_ROLE_UNSPECIFIED || user.GetRole() == role) &&
			!slices.ContainsFunc(sought, func(word soughtWord) bool { return !word.fits(user) })
	}, err
}

// soughtWord is one word of a search for people.
type soughtWord struct {
	text    string          // in lower case
	digits  string          // of a telephone number; empty when the word can be none
	groups  map[string]bool // those of the policy whose names or titles have the word
	members map[string]bool // whom the policy names as members of them
}

func newSoughtWord(text string, groups []*deskpb.Team) soughtWord {
	word := soughtWord{text: text, groups: map[string]bool{}, members: map[string]bool{}}
	if strings.Trim(text, "0123456789+-()") == "" {
		word.digits = desk.PhoneDigits(text)
	}
	for _, group := range groups {
		if !word.in(group.GetName()) && !word.in(group.GetTitle().GetZh()) && !word.in(group.GetTitle().GetEn()) {
			continue
		}
		word.groups[group.GetName()] = true
		for _, member := range group.GetMembers() {
			word.members[member] = true
		}
	}
	return word
}

func (w soughtWord) in(text string) bool { return strings.Contains(strings.ToLower(text), w.text) }

// fits tells whether the word stands in what is known of a user.
func (w soughtWord) fits(user *deskpb.User) bool {
	return w.in(user.GetName()) || w.in(user.GetDisplayName()) || w.in(user.GetUnit()) || w.in(user.GetPhone()) || w.in(user.GetEmail()) ||
		w.digits != "" && strings.Contains(desk.PhoneDigits(user.GetPhone()), w.digits) || w.members[user.GetName()] ||
		slices.ContainsFunc(user.GetGroups(), func(group string) bool { return w.groups[group] || w.in(group) })
}
