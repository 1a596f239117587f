package people

import (
	"encoding/base32"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func enrolment(name, password string) *apipb.EnrolSecondFactorRequest {
	return &apipb.EnrolSecondFactorRequest{Name: name, Password: password}
}

// enrol gives somebody a second factor that is not confirmed, and returns what an app makes of it.
func (o *office) enrol(actor *deskpb.Actor) (code func(at time.Time) string) {
	o.t.Helper()
	enrolled, err := o.EnrolSecondFactor(o.t.Context(), actor, enrolment("wang", password))
	if err != nil {
		o.t.Fatal(err)
	}
	key, err := otp.NewKeyFromURL(enrolled.Uri)
	if err != nil || key.Secret() != enrolled.Secret || key.Issuer() != "西湖区" || key.AccountName() != "wang" || key.Period() != 30 || key.Digits() != otp.DigitsSix {
		o.t.Fatalf("an app reads %v, %v", key, err)
	}
	return func(at time.Time) string {
		code, err := totp.GenerateCode(enrolled.Secret, at)
		if err != nil {
			o.t.Fatal(err)
		}
		return code
	}
}

func (o *office) confirm(actor *deskpb.Actor, code string) error {
	_, err := o.ConfirmSecondFactor(o.t.Context(), actor, &apipb.ConfirmSecondFactorRequest{Name: "wang", Code: code})
	return err
}

func TestTheSecondFactor(t *testing.T) {
	o := open(t)
	me := o.actor(o.signIn("wang"))
	mustRefuse(t, "confirming none", o.confirm(me, "123456"), "NO_SECOND_FACTOR")
	code := o.enrol(me)
	o.signIn("wang") // it does not count yet
	mustRefuse(t, "a wrong code", o.confirm(me, code(o.clock.now.Add(time.Hour))), "INVALID_FIELD")
	if err := o.confirm(me, code(o.clock.now)); err != nil {
		t.Fatal(err)
	}
	_, err := o.EnrolSecondFactor(t.Context(), me, enrolment("wang", password))
	mustRefuse(t, "a second one", err, "SECOND_FACTOR_EXISTS")

	_, err = o.try("wang", password, "", county)
	mustRefuse(t, "no code", err, "SECOND_FACTOR_REQUIRED")
	_, err = o.try("wang", "wrong horse", "", county)
	mustRefuse(t, "no code and a wrong password", err, "WRONG_PASSWORD")
	_, err = o.try("wang", "wrong horse", code(o.clock.now.Add(30*time.Second)), county)
	mustRefuse(t, "the code and a wrong password", err, "WRONG_PASSWORD")
	_, err = o.try("wang", password, code(o.clock.now), county)
	mustRefuse(t, "the code that confirmed", err, "WRONG_CODE")

	o.clock.advance(5 * time.Minute)
	for _, c := range []struct {
		what string
		off  time.Duration
		code string
	}{
		{"two steps old", -time.Minute, "WRONG_CODE"},
		{"two steps early", time.Minute, "WRONG_CODE"},
		{"one step old", -30 * time.Second, ""},
		{"the present one", 0, ""},
		{"the present one again", 0, "WRONG_CODE"},
		{"one step early", 30 * time.Second, ""},
		{"the present one after a later one", 0, "WRONG_CODE"},
	} {
		_, err := o.try("wang", password, code(o.clock.now.Add(c.off)), "10.1.1.1")
		if c.code == "" && err != nil {
			t.Errorf("%s: %v", c.what, err)
		} else if c.code != "" {
			mustRefuse(t, c.what, err, c.code)
		}
	}
}

// Wrong codes count as wrong passwords do, and the right password alone makes up for none.
func TestGuessingACodeIsSlow(t *testing.T) {
	o := open(t)
	me := o.actor(o.signIn("wang"))
	code := o.enrol(me)
	if err := o.confirm(me, code(o.clock.now)); err != nil {
		t.Fatal(err)
	}
	for range mostOfUserAndAddress {
		_, err := o.try("wang", password, "000000x", county)
		mustRefuse(t, "a wrong code", err, "WRONG_CODE")
		_, err = o.try("wang", password, "", county)
		if err == nil {
			t.Fatal("signed in without a code")
		}
	}
	_, err := o.try("wang", password, code(o.clock.now.Add(30*time.Second)), county)
	mustRefuse(t, "the right code after too many wrong ones", err, "TOO_MANY_ATTEMPTS")
}

// Two nodes that take the same code at once: the log lets one in.
func TestACodeWorksOnceAtAllNodes(t *testing.T) {
	o := open(t)
	me := o.actor(o.signIn("wang"))
	code := o.enrol(me)
	if err := o.confirm(me, code(o.clock.now)); err != nil {
		t.Fatal(err)
	}
	o.clock.advance(time.Minute)
	user := o.site.user(t, "wang")
	step, err := checkCode(user, code(o.clock.now), o.clock.now)
	if err != nil || step == 0 {
		t.Fatalf("the code is of step %d, %v", step, err)
	}
	o.signInWith(code(o.clock.now))
	_, _, err = o.open(t.Context(), opening{user: user, life: life{idle: time.Hour, longest: time.Hour}, step: step})
	mustRefuse(t, "the same code at the other node", err, "WRONG_CODE")
}

func (o *office) signInWith(code string) {
	o.t.Helper()
	if _, err := o.try("wang", password, code, county); err != nil {
		o.t.Fatal(err)
	}
}

// Who has somebody's session and not the password cannot draw a secret in their name, nor guess the password by trying.
func TestEnrollingASecondFactorNeedsThePassword(t *testing.T) {
	o := open(t)
	me := o.actor(o.signIn("wang"))
	me.Address = county
	for tries := range mostOfUserAndAddress {
		guess := []string{"", "wrong horse"}[tries%2]
		_, err := o.EnrolSecondFactor(t.Context(), me, enrolment("wang", guess))
		mustRefuse(t, "with a wrong password", err, "INVALID_FIELD")
	}
	_, err := o.EnrolSecondFactor(t.Context(), me, enrolment("wang", password))
	mustRefuse(t, "with the right one after too many wrong ones", err, "TOO_MANY_ATTEMPTS")
	if user := o.site.user(t, "wang"); len(user.TotpSecret) > 0 {
		t.Error("a secret was drawn without the password")
	}
	o.clock.advance(time.Hour)
	if _, err := o.EnrolSecondFactor(t.Context(), me, enrolment("wang", password)); err != nil {
		t.Errorf("with the right password: %v", err)
	}
}

func TestRemovingTheSecondFactor(t *testing.T) {
	o := open(t)
	me := o.actor(o.signIn("wang"))
	remove := func(actor *deskpb.Actor, password string) error {
		_, err := o.RemoveSecondFactor(t.Context(), actor, &apipb.RemoveSecondFactorRequest{Name: "wang", Password: password})
		return err
	}
	for range 2 {
		if err := o.confirm(me, o.enrol(me)(o.clock.now)); err != nil {
			t.Fatal(err)
		}
		mustRefuse(t, "with a wrong password", remove(me, "wrong horse"), "INVALID_FIELD")
		mustRefuse(t, "by another agent", remove(&deskpb.Actor{User: "li", Role: deskpb.User_AGENT}, password), "PERMISSION_DENIED")
		if err := remove(me, password); err != nil {
			t.Fatal(err)
		}
		o.signIn("wang")
		o.clock.advance(time.Minute)
	}
	if err := o.confirm(me, o.enrol(me)(o.clock.now)); err != nil {
		t.Fatal(err)
	}
	if err := remove(administrator, ""); err != nil {
		t.Errorf("an administrator removes it: %v", err)
	}
	_, err := o.EnrolSecondFactor(t.Context(), administrator, enrolment("wang", password))
	mustRefuse(t, "an administrator enrols another's", err, "PERMISSION_DENIED")
}

// The codes are those of RFC 6238, appendix B, cut to six digits.
func TestCodesAreThoseOfTheStandard(t *testing.T) {
	secret := []byte("12345678901234567890")
	if got, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(base32Secret(secret)); string(got) != string(secret) || err != nil {
		t.Errorf("the secret is typed as one that is read as %q, %v", got, err)
	}
	for at, code := range map[int64]string{59: "287082", 1111111109: "081804", 1234567890: "005924", 2000000000: "279037"} {
		step, err := stepOf(secret, code, 0, time.Unix(at, 0))
		if err != nil || step != at/30 {
			t.Errorf("the code %s at %d is of step %d, %v, want %d", code, at, step, err, at/30)
		}
		if again, err := stepOf(secret, code, step, time.Unix(at, 0)); again != 0 || err != nil {
			t.Errorf("the code %s is taken again at step %d, %v", code, again, err)
		}
	}
}
