package people

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// The longest texts of a user in characters, where nothing else is said, and the longest lists.
const (
	maxName        = 64
	maxDisplayName = desk.MaxDisplayName
	maxPhone       = 40
	maxEmail       = 254 // bytes
	maxUnit        = 200
	maxGroup       = 200
	maxGroups      = 50
	maxOffices     = 100
)

// checkUser holds what is said of a user to its form. Whether groups and offices exist is not asked: both may come later.
func checkUser(user *deskpb.User) error {
	_, known := deskpb.User_Role_name[int32(user.GetRole())]
	switch {
	case !wellNamed(user.GetName()):
		return desk.RefuseField("user.name", "%.80q is not 1 to %d of a-z, 0-9, '.', '_' and '-'", user.GetName(), maxName)
	case !isLine(user.GetDisplayName(), maxDisplayName):
		return desk.RefuseField("user.displayName", "it is not one line of at most %d characters", maxDisplayName)
	case !known || user.GetRole() == deskpb.User_ROLE_UNSPECIFIED:
		return desk.RefuseField("user.role", "it is missing or unknown; give one of %s", roles())
	case !isPhone(user.GetPhone()):
		return desk.RefuseField("user.phone", "%.80q is not a number of 3 to 20 digits, with '+', '-', '(', ')' and spaces between", user.GetPhone())
	case !isEmail(user.GetEmail()):
		return desk.RefuseField("user.email", "%.80q is not an address such as li@example.cn", user.GetEmail())
	case !isLine(user.GetUnit(), maxUnit):
		return desk.RefuseField("user.unit", "it is not one line of at most %d characters", maxUnit)
	}
	return checkReach(user)
}

// checkReach holds what a user sees and works on to its form.
func checkReach(user *deskpb.User) error {
	_, known := deskpb.User_Scope_name[int32(user.GetScope())]
	wide := user.GetScope() == deskpb.User_SCOPE_UNSPECIFIED || user.GetScope() == deskpb.User_SUBTREE
	badOffice := slices.IndexFunc(user.GetOffices(), func(id string) bool { return !regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`).MatchString(id) })
	badGroup := slices.IndexFunc(user.GetGroups(), func(name string) bool { return name == "" || !isLine(name, maxGroup) })
	badLine := slices.IndexFunc(user.GetLines(), func(line deskpb.Ticket_Line) bool {
		return line < deskpb.Ticket_FIRST || line > deskpb.Ticket_THIRD
	})
	switch {
	case len(user.GetGroups()) > maxGroups || badGroup >= 0 || repeats(user.GetGroups()):
		return desk.RefuseField("user.groups", "they are not at most %d different names of at most %d characters", maxGroups, maxGroup)
	case badLine >= 0 || repeats(user.GetLines()):
		return desk.RefuseField("user.lines", "they are not different ones of FIRST, SECOND and THIRD")
	case !known:
		return desk.RefuseField("user.scope", "it is unknown; give OWN, GROUPS, SITE or SUBTREE")
	case user.GetRole() == deskpb.User_REQUESTER && user.GetScope() > deskpb.User_OWN:
		return desk.RefuseField("user.scope", "a requester sees the own tickets; leave it away")
	case len(user.GetOffices()) > maxOffices || badOffice >= 0 || repeats(user.GetOffices()):
		return desk.RefuseField("user.offices", "they are not at most %d different ids of sites, such as 330106", maxOffices)
	case len(user.GetOffices()) > 0 && (!wide || user.GetRole() == deskpb.User_REQUESTER):
		return desk.RefuseField("user.offices", "they narrow the scope SUBTREE only; leave them away or give that scope")
	}
	return nil
}

// roles are the names of all roles.
func roles() string {
	var names []string
	for _, role := range desk.Roles() {
		names = append(names, role.String())
	}
	return strings.Join(names, ", ")
}

func wellNamed(name string) bool {
	return regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`).MatchString(name)
}

// isLine tells whether a text is one line of at most so many characters.
func isLine(text string, most int) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl) && utf8.RuneCountInString(text) <= most
}

// oneLine makes a text that somebody else wrote one line of at most so many characters.
func oneLine(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}

// isPhone takes the empty number as well.
func isPhone(phone string) bool {
	digits := len(desk.PhoneDigits(phone))
	return phone == "" || len(phone) <= maxPhone && regexp.MustCompile(`^\+?[0-9(][0-9() -]*$`).MatchString(phone) && digits >= 3 && digits <= 20
}

// isEmail takes the empty address as well.
func isEmail(email string) bool {
	if email == "" {
		return true
	}
	parsed, err := mail.ParseAddress(email)
	return err == nil && parsed.Address == email && len(email) <= maxEmail && isLine(email, maxEmail)
}

func repeats[S ~[]E, E comparable](list S) bool {
	for i, one := range list {
		if slices.Contains(list[:i], one) {
			return true
		}
	}
	return false
}

// checkPassword never shows the password.
func checkPassword(password string) error {
	switch {
	case !utf8.ValidString(password):
		return desk.RefuseField("password", "it is not UTF-8")
	case utf8.RuneCountInString(password) < minPassword:
		return desk.RefuseField("password", "it is shorter than %d characters", minPassword)
	case len(password) > maxPassword:
		return desk.RefuseField("password", "it is longer than %d bytes", maxPassword)
	}
	return nil
}
