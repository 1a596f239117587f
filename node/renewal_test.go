package node

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tierdesk/tierdesk/authority"
	"github.com/tierdesk/tierdesk/node/config"
	"github.com/tierdesk/tierdesk/node/identity"
)

// renewalCase is the renewal of one node whose way to the authority the test is.
type renewalCase struct {
	*renewal
	ca     *treeAuthority
	config *config.Config
	log    bytes.Buffer

	mu    sync.Mutex // guards everything below
	away  error      // why nobody answers; nil: the authority does
	asked []time.Time
}

func newRenewalCase(t *testing.T, lifetime time.Duration) *renewalCase {
	t.Helper()
	c := &renewalCase{ca: newAuthority(t), config: configuration(t, "n1")}
	c.ca.issue(t, c.config)
	c.reissue(t, lifetime)
	own, err := identity.Load(identity.Options{CA: c.config.TLS.CA, Cert: c.config.TLS.Cert, Key: c.config.TLS.Key, Site: "330106", Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	c.renewal = &renewal{own: own, site: "330106", node: "n1", ask: c.answer, log: slog.New(slog.NewTextHandler(&c.log, nil))}
	return c
}

// reissue puts another certificate into the node's files, as an operator does.
func (c *renewalCase) reissue(t *testing.T, lifetime time.Duration) {
	t.Helper()
	issued, err := c.ca.Issue(authority.Node{Site: "330106", Node: "n1", Lifetime: lifetime})
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string][]byte{c.config.TLS.Cert: issued.Cert, c.config.TLS.Key: issued.Key} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (c *renewalCase) answer(_ context.Context, request []byte) ([][]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, time.Now())
	if c.away != nil {
		return nil, c.away
	}
	now, err := authority.Open(c.ca.dir, time.Now)
	if err != nil {
		return nil, err
	}
	return now.Sign(request, "330106", "n1")
}

// lead sets why nobody answers.
func (c *renewalCase) lead(away error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = away
}

// tries returns when the authority was asked since the last call.
func (c *renewalCase) tries() []time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.asked
	c.asked = nil
	return asked
}

// A certificate is renewed when a third of its life is left. While nobody answers the node asks once an hour, and tells why
// it waits; when somebody does, all is well again.
func TestACertificateRenewsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const day = 24 * time.Hour
		c := newRenewalCase(t, 9*day)
		c.lead(errors.New("no address of 330100 is known"))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			c.keep(ctx)
		}()
		defer func() {
			cancel()
			<-ended
		}()
		first := c.own.Expires()

		time.Sleep(6*day - 2*time.Hour)
		if tries := c.tries(); len(tries) > 0 {
			t.Fatalf("it was renewed %v before its end, want at a third of 9 days", first.Sub(tries[0]))
		}
		time.Sleep(12 * time.Hour)
		tries := c.tries()
		if len(tries) < 9 || len(tries) > 11 {
			t.Errorf("in ten hours of silence it asked %d times, want about once an hour", len(tries))
		}
		for n, at := range tries[1:] {
			if pause := at.Sub(tries[n]); pause < renewAgain || pause > renewAgain*11/10+lookAtCertificate {
				t.Errorf("the pause after try %d is %v, want an hour and at most a tenth", n+1, pause)
			}
		}
		if check := c.judge(time.Now()); check.GetState() != warned || !strings.Contains(check.GetMessage(), "no address of 330100 is known") {
			t.Errorf("the doctor says %v, want a warning with the reason", check)
		}
		if n := strings.Count(c.log.String(), "no address of 330100"); n != 1 {
			t.Errorf("the reason was logged %d times, want once", n)
		}
		if alarms := c.alarms(); len(alarms) > 0 {
			t.Errorf("with days left it raises %q", alarms)
		}
		time.Sleep(30 * time.Hour)
		if alarms := c.alarms(); len(alarms) != 1 || !strings.Contains(alarms[0], "no address of 330100 is known") {
			t.Errorf("with a sixth of its life left the alarms are %q, want one with the reason", alarms)
		}

		c.lead(nil)
		time.Sleep(2 * time.Hour)
		if got := c.own.Expires(); got.Sub(first) < 6*day {
			t.Fatalf("after the parent came back it ends on %v as before", got)
		}
		if check := c.judge(time.Now()); check.GetState() != ok {
			t.Errorf("after the renewal the doctor says %v", check)
		}
		if alarms := c.alarms(); len(alarms) > 0 {
			t.Errorf("after the renewal the alarms are %q", alarms)
		}
		if _, err := identity.Load(identity.Options{CA: c.config.TLS.CA, Cert: c.config.TLS.Cert, Key: c.config.TLS.Key, Site: "330106", Node: "n1"}); err != nil {
			t.Errorf("the files after the renewal: %v", err)
		}
		c.tries()
		time.Sleep(5 * day)
		if tries := c.tries(); len(tries) > 0 {
			t.Errorf("a new certificate was renewed again after %d tries", len(tries))
		}
	})
}

// What an operator puts into the files is in use a minute later. What does not fit is not, and is told of.
func TestACertificateThatWasReplacedByHandIsTakenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newRenewalCase(t, authority.DefaultLifetime)
		before := c.own.Expires()
		time.Sleep(time.Hour)
		c.reissue(t, 2*authority.DefaultLifetime)
		c.look(t.Context())
		if got := c.own.Expires(); !got.After(before) {
			t.Errorf("the certificate in use ends on %v as before", got)
		}
		if err := os.WriteFile(c.config.TLS.Key, []byte("no key"), 0o600); err != nil {
			t.Fatal(err)
		}
		c.look(t.Context())
		if check := c.judge(time.Now()); check.GetState() != warned || !strings.Contains(check.GetMessage(), c.config.TLS.Key) {
			t.Errorf("with a broken key file the doctor says %v, want a warning that names the file", check)
		}
		c.reissue(t, authority.DefaultLifetime)
		c.look(t.Context())
		c.look(t.Context())
		if check := c.judge(time.Now()); check.GetState() != ok {
			t.Errorf("after the file was mended the doctor says %v", check)
		}
	})
}

func TestJudgeCertificate(t *testing.T) {
	c := newRenewalCase(t, authority.DefaultLifetime)
	expires := c.own.Expires()
	mustFind(t, "an ended certificate", c.judge(expires.Add(time.Second)), failed, "ended on "+expires.UTC().Format(time.DateOnly))
	mustFind(t, "a certificate near its end", c.judge(expires.Add(-13*24*time.Hour)), warned, "in 13 days")
	mustFind(t, "one that is about to be renewed", c.judge(expires.Add(-29*24*time.Hour)), ok, "renews itself")
	registry := prometheus.NewRegistry()
	if err := c.measure(registry); err != nil {
		t.Fatal(err)
	}
	measured, err := registry.Gather()
	if err != nil || len(measured) != 2 {
		t.Fatalf("measured %v, %v; want the certificate's end and the failures", measured, err)
	}
	if got := measured[0]; got.GetName() != "tierdesk_certificate_expiry_timestamp_seconds" || got.GetMetric()[0].GetGauge().GetValue() != float64(expires.Unix()) {
		t.Errorf("measured %v, want the end %d", got, expires.Unix())
	}
	mustFind(t, "a good certificate", c.judge(expires.Add(-80*24*time.Hour)), ok, expires.UTC().Format(time.DateOnly))
}
