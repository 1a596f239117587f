package people

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
)

// full is a user of whom everything is said.
func full() *apipb.User {
	return &apipb.User{
		Name: "li.wei", DisplayName: "李伟", Role: apipb.User_DISPATCHER, Phone: "+86 571-8500 0012", Email: "li.wei@example.cn", Unit: "网络科",
		Groups: []string{"网络组", "值班"}, Lines: []apipb.User_Line{apipb.User_FIRST, apipb.User_SECOND},
		Scope: apipb.User_SUBTREE, Offices: []string{"330106", "330108"},
	}
}

func TestUsersOfEachForm(t *testing.T) {
	many := func(n int) (list []string) {
		for i := range n {
			list = append(list, "g"+strings.Repeat("x", i))
		}
		return list
	}
	for _, c := range []struct {
		what   string
		change func(*apipb.User)
		field  string // that is refused; empty for none
	}{
		{"everything", func(*apipb.User) {}, ""},
		{"only what must be", func(u *apipb.User) {
			proto.Reset(u)
			u.Name, u.Role = "a", apipb.User_AGENT
		}, ""},
		{"no name", func(u *apipb.User) { u.Name = "" }, "user.name"},
		{"capitals", func(u *apipb.User) { u.Name = "Li" }, "user.name"},
		{"a colon", func(u *apipb.User) { u.Name = "li:wei" }, "user.name"},
		{"65 letters", func(u *apipb.User) { u.Name = strings.Repeat("a", 65) }, "user.name"},
		{"two lines", func(u *apipb.User) { u.DisplayName = "a\nb" }, "user.displayName"},
		{"no role", func(u *apipb.User) { u.Role = 0 }, "user.role"},
		{"no such role", func(u *apipb.User) { u.Role = 99 }, "user.role"},
		{"letters for a number", func(u *apipb.User) { u.Phone = "call me" }, "user.phone"},
		{"two digits", func(u *apipb.User) { u.Phone = "12" }, "user.phone"},
		{"too many digits", func(u *apipb.User) { u.Phone = strings.Repeat("1", 21) }, "user.phone"},
		{"no address", func(u *apipb.User) { u.Email = "li.wei" }, "user.email"},
		{"an address with a name", func(u *apipb.User) { u.Email = "李伟 <li@example.cn>" }, "user.email"},
		{"two addresses", func(u *apipb.User) { u.Email = "a@example.cn, b@example.cn" }, "user.email"},
		{"a long unit", func(u *apipb.User) { u.Unit = strings.Repeat("科", 201) }, "user.unit"},
		{"fifty groups", func(u *apipb.User) { u.Groups = many(50) }, ""},
		{"too many groups", func(u *apipb.User) { u.Groups = many(51) }, "user.groups"},
		{"a group twice", func(u *apipb.User) { u.Groups = []string{"a", "a"} }, "user.groups"},
		{"a group without a name", func(u *apipb.User) { u.Groups = []string{""} }, "user.groups"},
		{"no such line", func(u *apipb.User) { u.Lines = []apipb.User_Line{4} }, "user.lines"},
		{"a line twice", func(u *apipb.User) { u.Lines = []apipb.User_Line{1, 1} }, "user.lines"},
		{"no such scope", func(u *apipb.User) { u.Scope = 9 }, "user.scope"},
		{"a requester who sees others' tickets", func(u *apipb.User) { u.Role, u.Scope, u.Offices = apipb.User_REQUESTER, apipb.User_SITE, nil }, "user.scope"},
		{"no id of a site", func(u *apipb.User) { u.Offices = []string{"西湖区"} }, "user.offices"},
		{"an office twice", func(u *apipb.User) { u.Offices = []string{"330106", "330106"} }, "user.offices"},
		{"too many offices", func(u *apipb.User) { u.Offices = many(101) }, "user.offices"},
		{"offices in a narrow scope", func(u *apipb.User) { u.Scope = apipb.User_SITE }, "user.offices"},
		{"offices of a requester", func(u *apipb.User) { u.Role, u.Scope = apipb.User_REQUESTER, 0 }, "user.offices"},
	} {
		t.Run(c.what, func(t *testing.T) {
			o := open(t)
			user := full()
			c.change(user)
			made, err := o.CreateUser(t.Context(), administrator, &apipb.CreateUserRequest{User: user, Password: password})
			if c.field == "" {
				user.MustChangePassword, user.Etag = true, "1"
				if !proto.Equal(made, user) || err != nil {
					t.Errorf("made is %v, %v, want %v", made, err, user)
				}
				return
			}
			mustRefuse(t, c.what, err, "INVALID_FIELD")
			var refusal *desk.Refusal
			if errors.As(err, &refusal) && refusal.Field != c.field {
				t.Errorf("the field %s is refused, want %s", refusal.Field, c.field)
			}
		})
	}
}

func TestCreatingUsers(t *testing.T) {
	o := open(t)
	request := func() *apipb.CreateUserRequest { return &apipb.CreateUserRequest{User: full(), Password: password} }
	for what, actor := range map[string]*deskpb.Actor{
		"an agent": agent, "nobody": nil, "an administrator who has to set another password": {User: "admin", Role: deskpb.User_ADMINISTRATOR, MustChangePassword: true},
	} {
		if _, err := o.CreateUser(t.Context(), actor, request()); err == nil {
			t.Errorf("%s creates a user", what)
		}
	}
	for _, bad := range []string{"qwertz1", "七个字不够用啊", strings.Repeat("x", 1025), "\xff\xff\xff\xff\xff\xff\xff\xff"} {
		r := request()
		r.Password = bad
		_, err := o.CreateUser(t.Context(), administrator, r)
		mustRefuse(t, "a bad password", err, "INVALID_FIELD")
		if err != nil && strings.Contains(err.Error(), bad) {
			t.Errorf("the refusal %q shows the password", err)
		}
	}
	if _, err := o.CreateUser(t.Context(), administrator, request()); err != nil {
		t.Fatal(err)
	}
	if c := o.site.last(); c.Actor.GetUser() != "admin" || c.Node != "n1" {
		t.Errorf("the command is of %v by node %q", c.Actor, c.Node)
	}
	_, err := o.CreateUser(t.Context(), administrator, request())
	mustRefuse(t, "an existing name", err, "USER_EXISTS")

	_, err = o.ListUsers(t.Context(), agent, store.UserQuery{Limit: 10})
	mustRefuse(t, "an agent lists", err, "PERMISSION_DENIED")
	_, err = o.ListUsers(t.Context(), administrator, store.UserQuery{})
	mustRefuse(t, "a page of none", err, "INVALID_FIELD")
	users, err := o.ListUsers(t.Context(), &deskpb.Actor{User: "shen", Role: deskpb.User_AUDITOR}, store.UserQuery{After: "b", Limit: 10})
	if err != nil || len(users) != 2 || users[0].Name != "li.wei" || users[1].Name != "wang" {
		t.Fatalf("users behind b: %v, %v, want li.wei and wang", users, err)
	}
	if _, err := o.User(t.Context(), agent, "wang"); err != nil {
		t.Errorf("an agent reads the own account: %v", err)
	}
	_, err = o.User(t.Context(), agent, "li.wei")
	mustRefuse(t, "an agent reads another's", err, "PERMISSION_DENIED")
	_, err = o.User(t.Context(), agent, "nobody")
	mustRefuse(t, "an agent asks who exists", err, "PERMISSION_DENIED")
	mustRefuse(t, "an agent deletes", o.DeleteUser(t.Context(), agent, "li.wei"), "PERMISSION_DENIED")
	if err := o.DeleteUser(t.Context(), administrator, "li.wei"); err != nil {
		t.Fatal(err)
	}
	_, err = o.User(t.Context(), administrator, "li.wei")
	mustRefuse(t, "a deleted user", err, "USER_NOT_FOUND")
}

func TestUpdatingChangesTheFieldsNamed(t *testing.T) {
	for _, c := range []struct {
		what   string
		fields string
		change *apipb.User
		want   func(*apipb.User)
		reason string
	}{
		{"what is given", "", &apipb.User{Unit: "机房", Role: apipb.User_AGENT}, func(u *apipb.User) { u.Unit, u.Role = "机房", apipb.User_AGENT }, ""},
		{"what is named, also when it is empty", "phone, groups,unit", &apipb.User{Unit: "机房", Email: "x"}, func(u *apipb.User) {
			u.Unit, u.Phone, u.Groups = "机房", "", nil
		}, ""},
		{"disabling", "", &apipb.User{Disabled: true}, func(u *apipb.User) { u.Disabled = true }, ""},
		{"with the etag", "unit", &apipb.User{Etag: "1"}, func(u *apipb.User) { u.Unit = "" }, ""},
		{"with another etag", "unit", &apipb.User{Etag: "7"}, nil, "STALE_ETAG"},
		{"nothing", "", &apipb.User{}, nil, "INVALID_FIELD"},
		{"the name", "name", &apipb.User{}, nil, "INVALID_FIELD"},
		{"a secret", "passwordHash", &apipb.User{}, nil, "INVALID_FIELD"},
		{"what only the log says", "mustChangePassword", &apipb.User{}, nil, "INVALID_FIELD"},
		{"a wrong value", "email", &apipb.User{Email: "x"}, nil, "INVALID_FIELD"},
		{"no role", "role", &apipb.User{}, nil, "INVALID_FIELD"},
	} {
		t.Run(c.what, func(t *testing.T) {
			o := open(t)
			before, err := o.CreateUser(t.Context(), administrator, &apipb.CreateUserRequest{User: full(), Password: password})
			if err != nil {
				t.Fatal(err)
			}
			hash := o.site.user(t, "li.wei").PasswordHash
			c.change.Name = "li.wei"
			got, err := o.UpdateUser(t.Context(), administrator, &apipb.UpdateUserRequest{User: c.change, Fields: c.fields})
			if c.reason != "" {
				mustRefuse(t, c.what, err, c.reason)
				return
			}
			c.want(before)
			before.Etag = "2"
			if !proto.Equal(got, before) || err != nil {
				t.Errorf("the user is %v, %v, want %v", got, err, before)
			}
			if o.site.user(t, "li.wei").PasswordHash != hash {
				t.Error("the password changed")
			}
		})
	}
	o := open(t)
	_, err := o.UpdateUser(t.Context(), agent, &apipb.UpdateUserRequest{User: &apipb.User{Name: "wang", Role: apipb.User_ADMINISTRATOR}})
	mustRefuse(t, "an agent makes herself an administrator", err, "PERMISSION_DENIED")
	_, err = o.UpdateUser(t.Context(), administrator, &apipb.UpdateUserRequest{User: &apipb.User{Name: "nobody", Unit: "x"}})
	mustRefuse(t, "nobody", err, "USER_NOT_FOUND")
}

// Two administrators who read the same account do not undo each other's change.
func TestAChangeInBetweenIsRefused(t *testing.T) {
	o := open(t)
	read := o.site.user(t, "wang")
	if err := o.replace(t.Context(), administrator, read); err != nil {
		t.Fatal(err)
	}
	mustRefuse(t, "a second change of what was read", o.replace(t.Context(), administrator, read), "STALE_ETAG")
}

func TestNoSecretIsShown(t *testing.T) {
	o := open(t)
	user := o.site.user(t, "wang")
	user.TotpSecret, user.Subject = []byte("secret of wang"), "uid=wang"
	o.site.put(t, user)
	shown, err := o.User(t.Context(), administrator, "wang")
	if err != nil || !shown.SecondFactor {
		t.Fatalf("wang is %v, %v, want one with a second factor", shown, err)
	}
	if text := shown.String(); strings.Contains(text, "argon2") || strings.Contains(text, "secret of") {
		t.Errorf("shown is %s", text)
	}
}

func TestOnesOwnPassword(t *testing.T) {
	o := open(t)
	token, program := o.signIn("wang"), ""
	me := o.actor(token)
	made, err := o.CreateAccessToken(t.Context(), me, &apipb.CreateAccessTokenRequest{User: "wang", Token: &apipb.AccessToken{Title: "x", Limits: []string{"read"}}})
	if err != nil {
		t.Fatal(err)
	}
	program = made.Secret
	set := func(password, current string) error {
		return o.SetPassword(t.Context(), me, &apipb.SetPasswordRequest{Name: "wang", Password: password, CurrentPassword: current})
	}
	mustRefuse(t, "a short one", set("七个字不够用啊", password), "INVALID_FIELD")
	mustRefuse(t, "without the current one", set("八个字就可以用了", ""), "INVALID_FIELD")
	mustRefuse(t, "with a wrong current one", set("八个字就可以用了", "wrong horse"), "INVALID_FIELD")
	mustRefuse(t, "the current one again", set(password, password), "INVALID_FIELD")
	mustRefuse(t, "an agent sets another's", o.SetPassword(t.Context(), me, &apipb.SetPasswordRequest{Name: "admin", Password: "八个字就可以用了"}), "PERMISSION_DENIED")
	if err := set("八个字就可以用了", password); err != nil {
		t.Fatal(err)
	}
	o.mustUnknown("a session from before", token)
	o.mustUnknown("an access token from before", program)
	_, err = o.try("wang", password, "", county)
	mustRefuse(t, "the old password", err, "WRONG_PASSWORD")
	opened, err := o.try("wang", "八个字就可以用了", "", county)
	if err != nil || opened.MustChangePassword {
		t.Errorf("the new password: %v, %v", opened, err)
	}
}

// Whoever holds a stolen session guesses the password no faster than at signing in.
func TestGuessingTheCurrentPasswordIsSlow(t *testing.T) {
	o := open(t)
	me := o.actor(o.signIn("wang"))
	guess := func() error {
		return o.SetPassword(t.Context(), me, &apipb.SetPasswordRequest{Name: "wang", Password: "八个字就可以用了", CurrentPassword: "wrong horse"})
	}
	for range mostOfUserAndAddress {
		mustRefuse(t, "a wrong guess", guess(), "INVALID_FIELD")
	}
	mustRefuse(t, "one more", guess(), "TOO_MANY_ATTEMPTS")
	_, err := o.try("wang", password, "", county)
	mustRefuse(t, "signing in", err, "TOO_MANY_ATTEMPTS")
}

func TestAPasswordThatSomebodyElseSetIsChangedFirst(t *testing.T) {
	o := open(t)
	before := o.signIn("wang")
	if err := o.SetPassword(t.Context(), administrator, &apipb.SetPasswordRequest{Name: "wang", Password: "another horse"}); err != nil {
		t.Fatal(err)
	}
	o.mustUnknown("a session from before", before)
	opened, err := o.try("wang", "another horse", "", county)
	if err != nil || !opened.MustChangePassword {
		t.Fatalf("wang signs in: %v, %v, want one who must change the password", opened, err)
	}
	me := o.actor(opened.Token)
	for _, verb := range desk.Verbs() {
		allowed := slices.Contains([]desk.Verb{desk.OwnPassword, desk.OwnRead, desk.OwnSignOut}, verb) || verb.NeedsNoSignIn()
		if got := desk.May(me, verb) == nil; got != allowed {
			t.Errorf("%s before the password is changed: allowed %v", verb, got)
		}
	}
	if err := o.SetPassword(t.Context(), me, &apipb.SetPasswordRequest{Name: "wang", Password: password, CurrentPassword: "another horse"}); err != nil {
		t.Fatal(err)
	}
	if me := o.actor(o.signIn("wang")); me.MustChangePassword {
		t.Error("the password has to be changed again")
	}
	mustRefuse(t, "of nobody", o.SetPassword(t.Context(), administrator, &apipb.SetPasswordRequest{Name: "nobody", Password: password}), "USER_NOT_FOUND")
}
