package account

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"image/png"
	"net/http"
	"strings"

	"github.com/pquerna/otp"

	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/web/page"
)

// factorPage is about the visitor's second factor: to enrol one, to confirm it, or to remove it.
type factorPage struct {
	shelf
	Enrolled bool
	Enrol    *enrolment // the secret that waits for a code; nil for none
	Problems map[string]string
}

// enrolment is a secret as an authenticator app takes it.
type enrolment struct {
	Address string       // otpauth://
	Link    template.URL // the same, to open on the telephone that shows this page
	Secret  string       // in groups of four, to type
	Picture template.URL // of the address, to scan
}

// pictureSize is the width and height of the picture to scan, in pixels.
const pictureSize = 232

func serveFactor(v *page.Visit) error { return showFactor(v, http.StatusOK, factorPage{}) }

func showFactor(v *page.Visit, status int, shown factorPage) error {
	caller, err := v.Caller()
	if err != nil {
		return err
	}
	shown.shelf, shown.Enrolled = newShelf(v, v.Word("me.factor")), caller.GetUser().GetSecondFactor()
	return v.Render(status, "factor.html", shown)
}

// failFactor shows the page again with what is wrong beside the field; the password and the code are typed anew.
func failFactor(v *page.Visit, shown factorPage, field string, err error) error {
	problem := v.Problem(err)
	switch {
	case problem.Status == http.StatusBadRequest:
		shown.Problems = map[string]string{field: v.Word("me.factor.wrong-" + field)}
	case problem.Status == http.StatusConflict || problem.Status == http.StatusTooManyRequests || problem.Status == http.StatusUnauthorized:
		shown.Problems = map[string]string{field: problem.Text}
	default:
		return err
	}
	return showFactor(v, problem.Status, shown)
}

// serveEnrol draws a secret and shows it.
func serveEnrol(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	drawn, err := v.API.Users.EnrolSecondFactor(v.Ctx(), &apipb.EnrolSecondFactorRequest{Name: v.Actor.GetUser(), Password: form.Get("password")})
	if err != nil {
		return failFactor(v, factorPage{}, "password", err)
	}
	enrol, err := newEnrolment(drawn.GetUri())
	if err != nil {
		return err
	}
	return showFactor(v, http.StatusOK, factorPage{Enrol: enrol})
}

// newEnrolment draws the picture of a secret's address.
func newEnrolment(address string) (*enrolment, error) {
	key, err := otp.NewKeyFromURL(address)
	if err != nil || !strings.HasPrefix(address, "otpauth://totp/") {
		return nil, errors.New("the address of a second factor cannot be read") // the cause would show it, and the secret with it
	}
	picture, err := key.Image(pictureSize, pictureSize)
	if err != nil {
		return nil, fmt.Errorf("draw the picture of a second factor: %w", err)
	}
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		return nil, fmt.Errorf("draw the picture of a second factor: %w", err)
	}
	return &enrolment{
		Address: address, Link: template.URL(address), Secret: inFours(key.Secret()),
		Picture: template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(file.Bytes())),
	}, nil
}

// inFours parts a text for those who type it.
func inFours(text string) string {
	var parts []string
	for len(text) > 4 {
		parts, text = append(parts, text[:4]), text[4:]
	}
	return strings.Join(append(parts, text), " ")
}

// serveConfirm proves by a code that the app has the secret. The form brings the address along, so that the picture is still there
// after a wrong code.
func serveConfirm(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	code := strings.Join(strings.Fields(form.Get("code")), "")
	_, err = v.API.Users.ConfirmSecondFactor(v.Ctx(), &apipb.ConfirmSecondFactorRequest{Name: v.Actor.GetUser(), Code: code})
	if err == nil {
		return v.Redirect("/me/second-factor?done=me-factor")
	}
	enrol, unreadable := newEnrolment(form.Get("address"))
	if unreadable != nil {
		return err
	}
	return failFactor(v, factorPage{Enrol: enrol}, "code", err)
}

func serveRemove(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	_, err = v.API.Users.RemoveSecondFactor(v.Ctx(), &apipb.RemoveSecondFactorRequest{Name: v.Actor.GetUser(), Password: form.Get("password")})
	if err != nil {
		return failFactor(v, factorPage{}, "password", err)
	}
	return v.Redirect("/me/second-factor?done=me-factor-removed")
}
