package people

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// shown is a user as the API shows it, without secrets. Groups of the policy are not in it.
func (p *People) shown(user *deskpb.User) *apipb.User {
	shown := &apipb.User{
		Name: user.Name, DisplayName: user.DisplayName, Role: apipb.User_Role(user.Role), CreateTime: user.CreateTime,
		Phone: user.Phone, Email: user.Email, Unit: user.Unit, Groups: user.Groups, Lines: castAll[apipb.User_Line](user.Lines),
		Scope: apipb.User_Scope(user.Scope), Offices: user.Offices, Disabled: user.Disabled, Source: apipb.User_Source(user.Source),
		MustChangePassword: user.MustChangePassword, SecondFactor: len(user.TotpSecret) > 0 && !user.TotpPending, Etag: etag(user),
	}
	if locked := time.UnixMicro(user.LockedUntil); locked.After(p.clock()) {
		shown.LockTime = timestamppb.New(locked)
	}
	return shown
}

// etag changes with every change of a user.
func etag(user *deskpb.User) string { return strconv.FormatUint(user.Version, 10) }

// takeOver gives a user what the API lets an administrator say of it.
func takeOver(user *deskpb.User, said *apipb.User) {
	user.DisplayName, user.Role = said.GetDisplayName(), deskpb.User_Role(said.GetRole())
	user.Phone, user.Email, user.Unit = said.GetPhone(), said.GetEmail(), said.GetUnit()
	user.Groups, user.Offices = said.GetGroups(), said.GetOffices()
	user.Lines, user.Scope = castAll[deskpb.Ticket_Line](said.GetLines()), deskpb.User_Scope(said.GetScope())
	user.Disabled = said.GetDisabled()
}

// castAll turns the values of an enumeration into those of another one with the same numbers.
func castAll[to, from ~int32](values []from) []to {
	cast := make([]to, len(values))
	for i, value := range values {
		cast[i] = to(value)
	}
	return cast
}

// changeable are the fields that UpdateUser changes, by their names in JSON.
func changeable() []string {
	return []string{"displayName", "role", "phone", "email", "unit", "groups", "lines", "scope", "offices", "disabled"}
}

// ofDirectory are those of them that a directory says at each sign-in.
func ofDirectory() []string {
	return []string{"displayName", "role", "phone", "email", "unit", "groups", "scope"}
}

// fieldsOf are the fields that an update names, or those that it gives.
func fieldsOf(r *apipb.UpdateUserRequest) (fields []string, err error) {
	if r.GetFields() == "" {
		said := r.GetUser().ProtoReflect()
		for _, name := range changeable() {
			if said.Has(said.Descriptor().Fields().ByJSONName(name)) {
				fields = append(fields, name)
			}
		}
	} else {
		for name := range strings.SplitSeq(r.GetFields(), ",") {
			fields = append(fields, strings.TrimSpace(name))
		}
	}
	if len(fields) == 0 {
		return nil, desk.RefuseField("fields", "no field is given; give one of %s", strings.Join(changeable(), ", "))
	}
	for _, name := range fields {
		if !slices.Contains(changeable(), name) {
			return nil, desk.RefuseField("fields", "%.80q cannot be changed; give one of %s", name, strings.Join(changeable(), ", "))
		}
	}
	return fields, nil
}

// merge copies the fields named, also where they are empty.
func merge(into, from *apipb.User, fields []string) {
	to, said := into.ProtoReflect(), from.ProtoReflect()
	for _, name := range fields {
		field := to.Descriptor().Fields().ByJSONName(name)
		if said.Has(field) {
			to.Set(field, said.Get(field))
		} else {
			to.Clear(field)
		}
	}
}

// keepsDirectory refuses to change what the next sign-in would change back.
func keepsDirectory(user *deskpb.User, fields []string) error {
	if user.Source == deskpb.User_LOCAL {
		return nil
	}
	for _, name := range fields {
		if slices.Contains(ofDirectory(), name) {
			return desk.Refuse(desk.FailedPrecondition, "DIRECTORY_ACCOUNT",
				"%s of %s is what the %s directory says at each sign-in; change it there", name, user.Name, user.Source)
		}
	}
	return nil
}
