package desk

import (
	"slices"
	"strings"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

const (
	// readOnly is the limit that allows whatever changes nothing.
	readOnly = "read"
	// maxLimits bounds the limits of an access token.
	maxLimits = 20
)

// May tells whether an actor may do something at all: by the role, by the limits of the access token, and unless a password has
// to be changed first. Whether it fits a ticket is for Sees and Decide to say. The refusal names the role and who may.
func May(actor *deskpb.Actor, verb Verb) error {
	r := ruleOf(verb)
	role := actor.GetRole()
	switch {
	case verb.NeedsNoSignIn():
		return nil
	case isGuest(actor) && guestHas(verb):
		return nil
	case actor.GetUser() == "":
		return denied("nobody is signed in, and %s needs that; sign in", verb)
	case !everybody.has(role):
		return denied("user %q has no role at this site; ask an administrator for one", actor.GetUser())
	case actor.GetMustChangePassword() && !beforeChange(verb):
		return Refuse(PermissionDenied, "PASSWORD_CHANGE_REQUIRED",
			"the password of user %q was set by somebody else; set another one before anything else", actor.GetUser())
	case !r.roles.has(role):
		return denied("user %q has the role %s, and %s is for %s only; ask one of them", actor.GetUser(), role, verb, roleNames(r.roles))
	case !limitsTakeIn(actor.GetLimits(), r):
		return Refuse(PermissionDenied, "TOKEN_LIMITED", "the access token of user %q is for %s, and %s is not among that; make another token or sign in",
			actor.GetUser(), strings.Join(actor.GetLimits(), ", "), verb)
	}
	return nil
}

// MayOn is May for a verb about an account: own when it is the actor's, others when it is somebody else's.
func MayOn(actor *deskpb.Actor, user UserID, own, others Verb) error {
	if actor.GetUser() == string(user) {
		return May(actor, own)
	}
	return May(actor, others)
}

// beforeChange tells whether a verb is allowed to who has to set another password first.
func beforeChange(verb Verb) bool {
	return verb == OwnPassword || verb == OwnSignOut || verb == OwnRead
}

// limitsTakeIn tells whether the limits of an access token take a verb in. A session of a person has none. Every token may ask whose
// it is.
func limitsTakeIn(limits []string, r *rule) bool {
	if len(limits) == 0 || r.verb == OwnRead {
		return true
	}
	if r.area == personal {
		return false
	}
	for _, limit := range limits {
		area, part, _ := strings.Cut(limit, ":")
		switch {
		case limit == readOnly && r.does == reads:
			return true
		case Area(area) == r.area && (part == "" || part == readOnly && r.does == reads):
			return true
		}
	}
	return false
}

// CheckLimits refuses limits of an access token that are none, or no limit at all.
func CheckLimits(field string, limits []string) error {
	if n := len(limits); n == 0 || n > maxLimits {
		return RefuseField(field, "%d limits are given; give 1 to %d, such as \"tickets\" or \"read\"", n, maxLimits)
	}
	for _, limit := range limits {
		area := strings.TrimSuffix(limit, ":"+readOnly)
		if limit != readOnly && !slices.Contains(Areas(), Area(area)) {
			return RefuseField(field, "%.40q is no limit; use an area of %q, the same with :read behind it, or \"read\"", limit, Areas())
		}
	}
	return nil
}

// roleNames names the roles of a set for a message.
func roleNames(set roleSet) string {
	var names []string
	for _, role := range set.roles() {
		names = append(names, role.String())
	}
	return strings.Join(names, ", ")
}
