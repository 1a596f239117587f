package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

const (
	codePeriod  = 30 // seconds
	codeDigits  = otp.DigitsSix
	secretBytes = 20

	secondFactorRequired = "SECOND_FACTOR_REQUIRED"
)

// base32Secret is how a secret is typed.
func base32Secret(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// stepOf returns the time step whose code it is: the present one or one beside it, since clocks differ, but none at or before the last one
// that was taken. It is 0 for none.
func stepOf(secret []byte, code string, last int64, now time.Time) (int64, error) {
	present, found := now.Unix()/codePeriod, int64(0)
	for step := present - 1; step <= present+1; step++ {
		want, err := hotp.GenerateCodeCustom(base32Secret(secret), uint64(step), hotp.ValidateOpts{Digits: codeDigits, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, fmt.Errorf("compute a code of the second factor: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && step > last {
			found = step
		}
	}
	return found, nil
}

// checkCode holds the code of somebody who gave the right password against the second factor, where there is one. It returns the code's
// time step, 0 for none; only the log can say that it was not taken meanwhile.
func checkCode(user *deskpb.User, code string, now time.Time) (step int64, err error) {
	if len(user.TotpSecret) == 0 || user.TotpPending {
		return 0, nil
	}
	if code == "" {
		return 0, desk.Refuse(desk.Unauthenticated, secondFactorRequired, "the second factor is missing; give the six digits that the app shows as code")
	}
	step, err = stepOf(user.TotpSecret, code, user.TotpStep, now)
	if err == nil && step == 0 {
		err = wrongCode()
	}
	return step, err
}

func wrongCode() error {
	return desk.Refuse(desk.Unauthenticated, "WRONG_CODE", "the second factor's code is wrong or was used before; wait for the next one")
}

// EnrolSecondFactor draws a secret for one's own second factor, with the password: whoever has only the session cannot lock its owner out.
// It counts once ConfirmSecondFactor has seen a code of it.
func (p *People) EnrolSecondFactor(ctx context.Context, actor *deskpb.Actor, r *apipb.EnrolSecondFactorRequest) (*apipb.EnrolSecondFactorResponse, error) {
	name := desk.UserID(r.GetName())
	if _, err := p.oneself(ctx, actor, name, desk.OwnSecondFactor); err != nil {
		return nil, err
	}
	if err := p.prove(ctx, actor, r.GetPassword(), "password"); err != nil {
		return nil, err
	}
	user, err := p.existing(ctx, name)
	if err != nil {
		return nil, err
	}
	if len(user.TotpSecret) > 0 && !user.TotpPending {
		return nil, desk.Refuse(desk.FailedPrecondition, "SECOND_FACTOR_EXISTS", "%s has a second factor already; remove it first", name)
	}
	user.TotpSecret, user.TotpPending, user.TotpStep = make([]byte, secretBytes), true, 0
	rand.Read(user.TotpSecret) // it never returns an error
	if err := p.replace(ctx, actor, user); err != nil {
		return nil, err
	}
	secret := base32Secret(user.TotpSecret)
	label := url.PathEscape(p.options.Name) + ":" + url.PathEscape(user.Name)
	query := url.Values{
		"secret": {secret}, "issuer": {p.options.Name}, "algorithm": {"SHA1"}, "digits": {codeDigits.String()}, "period": {strconv.Itoa(codePeriod)},
	}.Encode()
	// Apps take a plus for itself, not for a space.
	return &apipb.EnrolSecondFactorResponse{Secret: secret, Uri: "otpauth://totp/" + label + "?" + strings.ReplaceAll(query, "+", "%20")}, nil
}

// ConfirmSecondFactor proves that the secret has arrived: from now on signing in asks for a code.
func (p *People) ConfirmSecondFactor(ctx context.Context, actor *deskpb.Actor, r *apipb.ConfirmSecondFactorRequest) (*apipb.User, error) {
	user, err := p.oneself(ctx, actor, desk.UserID(r.GetName()), desk.OwnSecondFactor)
	if err != nil {
		return nil, err
	}
	if !user.TotpPending {
		return nil, desk.Refuse(desk.FailedPrecondition, "NO_SECOND_FACTOR", "no second factor of %s waits to be confirmed; enrol one first", user.Name)
	}
	step, err := stepOf(user.TotpSecret, r.GetCode(), user.TotpStep, p.clock())
	if err != nil {
		return nil, err
	}
	if step == 0 {
		return nil, desk.RefuseField("code", "is not the one that the app shows now; look whether its clock is right")
	}
	user.TotpPending, user.TotpStep = false, step
	return p.changed(ctx, actor, user)
}

// RemoveSecondFactor takes it away: one's own with the password, another's by an administrator.
func (p *People) RemoveSecondFactor(ctx context.Context, actor *deskpb.Actor, r *apipb.RemoveSecondFactorRequest) (*apipb.User, error) {
	name := desk.UserID(r.GetName())
	if err := desk.MayOn(actor, name, desk.OwnSecondFactor, desk.UserSecondFactor); err != nil {
		return nil, err
	}
	if actor.GetUser() == string(name) {
		if err := p.prove(ctx, actor, r.GetPassword(), "password"); err != nil {
			return nil, err
		}
	}
	user, err := p.account(ctx, actor, name, desk.OwnSecondFactor, desk.UserSecondFactor)
	if err != nil {
		return nil, err
	}
	user.TotpSecret, user.TotpPending, user.TotpStep = nil, false, 0
	return p.changed(ctx, actor, user)
}
