package people

import (
	"fmt"
	"testing"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// BenchmarkAuthenticate tells what the token of a call costs: remembered, and read from the store among a thousand others. Neither
// writes to the log.
func BenchmarkAuthenticate(b *testing.B) {
	o := open(b)
	for i := range 1000 {
		session := &deskpb.Session{TokenHash: tokenHash(fmt.Sprint(i)), User: "wang", ExpireTime: o.clock.now.UnixMicro() * 2}
		if _, err := o.site.Propose(b.Context(), &deskpb.Command{Kind: &deskpb.Command_OpenSession{OpenSession: &deskpb.OpenSession{Session: session}}}); err != nil {
			b.Fatal(err)
		}
	}
	token := o.signIn("wang")
	before := o.site.proposed()
	for name, forget := range map[string]bool{"remembered": false, "read": true} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if forget {
					o.known.holders = nil
				}
				if _, err := o.Authenticate(b.Context(), token, county); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	if o.site.proposed() != before {
		b.Errorf("it wrote %d commands", o.site.proposed()-before)
	}
}
