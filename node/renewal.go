package node

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tierdesk/tierdesk/authority"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/node/identity"
)

const (
	// lookAtCertificate is the time between two looks at the certificate: at its end, and at files that an operator replaced.
	lookAtCertificate = time.Minute
	// renewAgain is the time between two tries to renew a certificate, and a tenth of it the most that chance adds.
	renewAgain = time.Hour
	// urgentRenewal is how long before its end a certificate that was not renewed is an operator's matter.
	urgentRenewal = 14 * 24 * time.Hour
)

// renewal gets this node its next certificate while the present one still holds, and takes up one that was put into the files
// by hand. Its methods are safe for concurrent use.
type renewal struct {
	own        *identity.Identity
	site, node string
	// ask sends a PKCS #10 request up to the tree's authority.
	ask func(ctx context.Context, request []byte) ([][]byte, error)
	log *slog.Logger

	mu    sync.Mutex // guards everything below
	files trouble    // with the files as they are now
	tries trouble    // with the last tries to renew
	next  time.Time  // no try before
	ended time.Time  // the end that the log was told of
}

// trouble is what has gone wrong again and again. The zero one is none.
type trouble struct {
	reason string    // the last time
	since  time.Time // the first time
}

// hear takes up how it went this time. It tells whether that is a failure that was not heard of before.
func (t *trouble) hear(err error, now time.Time) (fresh bool) {
	if err == nil {
		*t = trouble{}
		return false
	}
	if t.since.IsZero() {
		t.since = now
	}
	fresh = err.Error() != t.reason
	t.reason = err.Error()
	return fresh
}

// keep looks after the certificate until the context ends. The first look comes at a moment of chance, so that the nodes of a
// tree that were started together do not all ask at once.
func (r *renewal) keep(ctx context.Context) {
	for wait := rand.N(lookAtCertificate); sleep(ctx, wait); wait = lookAtCertificate {
		r.look(ctx)
	}
}

// look takes up what lies in the files and renews it when it is time. One that has ended is renewed too: no parent takes it, but the
// clock that is wrong may be this node's.
func (r *renewal) look(ctx context.Context) {
	changed, err := r.own.Reload()
	if changed {
		r.log.Info("a certificate was put into the files and is in use", "expires", r.own.Expires())
		r.note(&r.tries, nil)
	}
	r.note(&r.files, err)
	r.tellEnd(time.Now())
	if !r.due(time.Now()) {
		return
	}
	err = r.renew(ctx)
	if ctx.Err() == nil {
		r.note(&r.tries, err)
	}
}

// tellEnd writes to the log, once, that the certificate has ended.
func (r *renewal) tellEnd(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if sentence := r.end(now); sentence != "" && !r.ended.Equal(r.own.Expires()) {
		r.ended = r.own.Expires()
		r.log.Error(sentence)
	}
}

// end says that the certificate has ended and what that means; empty before its end.
func (r *renewal) end(now time.Time) string {
	expires := r.own.Expires()
	if !now.After(expires) {
		return ""
	}
	return fmt.Sprintf("the certificate of node %s of site %s %s: no other node speaks to this one until another is put into tls.cert and tls.key; "+
		"make it with tierdesk ca renew or tierdesk ca issue", r.node, r.site, ending(expires, now))
}

// due tells whether a third of the lifetime is left, and the last try long enough ago.
func (r *renewal) due(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return now.After(r.own.Expires().Add(-r.own.Lifetime()/3)) && now.After(r.next)
}

// renew makes one try: a new key, a request for it, the answer checked and taken up. Nothing has changed after an error.
func (r *renewal) renew(ctx context.Context) error {
	request, key, err := authority.Request(r.site, r.node)
	if err != nil {
		return err
	}
	certificates, err := r.ask(ctx, request)
	if err != nil {
		return err
	}
	if err := r.own.Renewed(certificates, key); err != nil {
		return err
	}
	r.log.Info("the certificate was renewed", "expires", r.own.Expires())
	return nil
}

// note remembers how something went, and when the next try may come. A failure is logged when it is another one than before.
func (r *renewal) note(about *trouble, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if about.hear(err, now) {
		r.log.Warn("the certificate is not renewed", "expires", r.own.Expires(), "error", err)
	}
	if about == &r.tries {
		r.next = time.Time{}
		if err != nil {
			again := min(renewAgain, max(r.own.Lifetime()/100, time.Second))
			r.next = now.Add(again + rand.N(again/10))
		}
	}
}

// failing is why the certificate is not renewed, and since when; empty while nothing is wrong.
func (r *renewal) failing() trouble {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.files.reason != "" {
		return r.files
	}
	return r.tries
}

// alarms tells of a certificate that ends soon, or that nobody takes any more. One that was issued for a shorter time than
// usual ends soon when a sixth of it is left.
func (r *renewal) alarms() []string {
	if r == nil {
		return nil
	}
	if r.own.OwnRevoked() {
		return []string{fmt.Sprintf("the certificate of node %s of site %s is revoked, and no other node speaks to it; have another one issued",
			r.node, r.site)}
	}
	expires, now := r.own.Expires(), time.Now()
	if expires.Sub(now) > min(urgentRenewal, r.own.Lifetime()/6) {
		return nil
	}
	sentence := cmp.Or(r.end(now), fmt.Sprintf("the certificate of node %s of site %s %s", r.node, r.site, ending(expires, now)))
	if why := r.failing(); why.reason != "" {
		sentence += fmt.Sprintf("; it could not be renewed since %s UTC: %s", why.since.UTC().Format(time.DateTime), why.reason)
	}
	return []string{sentence}
}

// ending says when a certificate ends.
func ending(expires, now time.Time) string {
	end := expires.UTC().Format(time.DateTime) + " UTC"
	if left := expires.Sub(now); left > 0 {
		return fmt.Sprintf("ends on %s, in %d days", end, int(left/(24*time.Hour)))
	}
	return "ended on " + end
}

// judge judges the node's certificate by when it ends, and by what became of its renewal.
func (r *renewal) judge(now time.Time) *apipb.Check {
	const byHand = "or renew it by hand with tierdesk ca renew; the node takes up what is put into tls.cert and tls.key"
	expires := r.own.Expires()
	why := r.failing()
	switch left := expires.Sub(now); {
	case r.own.OwnRevoked():
		return failure("have another one issued with tierdesk ca issue", "the node's certificate is revoked, and no other node speaks to it")
	case left <= 0:
		return failure("renew it by hand with tierdesk ca renew, or have another one issued; the node takes it up within a minute",
			"the node's certificate %s, and no other node speaks to it", ending(expires, now))
	case why.reason != "":
		return warning("see to the reason, "+byHand, "the node's certificate %s and could not be renewed since %s UTC: %s",
			ending(expires, now), why.since.UTC().Format(time.DateTime), why.reason)
	case left < min(urgentRenewal, r.own.Lifetime()/6):
		return warning("see that the node runs on, "+byHand, "the node's certificate %s", ending(expires, now))
	default:
		return fine("the node's certificate is good until %s UTC and renews itself", expires.UTC().Format(time.DateTime))
	}
}

// measure offers when the certificate ends, and since when it could not be renewed.
func (r *renewal) measure(to prometheus.Registerer) error {
	gauge := func(name, help string, value func() time.Time) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "tierdesk", Subsystem: "certificate", Name: name, Help: help}, func() float64 {
			if at := value(); !at.IsZero() {
				return float64(at.Unix())
			}
			return 0
		})
	}
	if err := to.Register(gauge("expiry_timestamp_seconds", "When the node's certificate ends.", r.own.Expires)); err != nil {
		return fmt.Errorf("measure the certificate: %w", err)
	}
	err := to.Register(gauge("renewal_failing_since_timestamp_seconds", "Since when the certificate could not be renewed, 0 while nothing is wrong.",
		func() time.Time { return r.failing().since }))
	if err != nil {
		return fmt.Errorf("measure the certificate: %w", err)
	}
	return nil
}
