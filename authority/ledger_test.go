package authority

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func revocations(t *testing.T, a *Authority) *x509.RevocationList {
	t.Helper()
	der, err := a.Revocations()
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := list.CheckSignatureFrom(a.Certificate()); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestRevoke(t *testing.T) {
	for name, test := range map[string]struct {
		which func(serial string) Which
		want  []string // nodes that are out
	}{
		"one certificate":        {func(serial string) Which { return Which{Serial: serial} }, []string{"330106 n1"}},
		"its number in capitals": {func(serial string) Which { return Which{Serial: strings.ToUpper(serial)} }, []string{"330106 n1"}},
		"a node":                 {func(string) Which { return Which{Site: "330106", Node: "n2"} }, []string{"330106 n2"}},
		"a site":                 {func(string) Which { return Which{Site: "330106"} }, []string{"330106 n1", "330106 n2"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			a := newTree(t, c)
			first, _ := issue(t, a, xihu)
			issue(t, a, Node{Site: "330106", Node: "n2", Lifetime: time.Hour})
			issue(t, a, Node{Site: "330108", Node: "n1", Lifetime: time.Hour})
			before := revocations(t, a)
			revoked, err := a.Revoke(test.which(first.Entry.Serial))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, entry := range revoked {
				got = append(got, entry.Site+" "+entry.Node)
			}
			if strings.Join(got, ",") != strings.Join(test.want, ",") {
				t.Errorf("revoked %v, want %v", got, test.want)
			}
			list := revocations(t, a)
			if len(list.RevokedCertificateEntries) != len(test.want) || list.Number.Cmp(before.Number) <= 0 {
				t.Errorf("list %d has %d certificates, after list %d", list.Number, len(list.RevokedCertificateEntries), before.Number)
			}
			if !list.NextUpdate.Equal(a.Certificate().NotAfter) {
				t.Errorf("the list ends on %s, and an office without a line with it", list.NextUpdate)
			}
		})
	}
}

// A revocation that was cut short between the ledger and the list can be repeated, and then the list has it.
func TestRevokingAgainMendsTheList(t *testing.T) {
	c := newClock()
	a := newTree(t, c)
	issue(t, a, xihu)
	empty, err := a.Revocations()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Revoke(Which{Site: "330106"}); err != nil {
		t.Fatal(err)
	}
	whole := revocations(t, a)
	if err := WriteFile(filepath.Join(a.dir, RevokedFile), empty, 0o644); err != nil {
		t.Fatal(err)
	}
	c.now = c.now.Add(time.Hour)
	revoked, err := a.Revoke(Which{Site: "330106"})
	if err != nil || len(revoked) != 1 || !revoked[0].RevokedAt.Equal(c.now.Add(-time.Hour)) {
		t.Errorf("revoked again: %v, %v; want the time of the first", revoked, err)
	}
	if list := revocations(t, a); list.Number.Cmp(whole.Number) != 0 || len(list.RevokedCertificateEntries) != 1 {
		t.Errorf("list %d has %d certificates", list.Number, len(list.RevokedCertificateEntries))
	}
}

// What has ended long ago leaves the list, which stays the later one all the same.
func TestTheListForgetsWhatHasEnded(t *testing.T) {
	c := newClock()
	a := newTree(t, c)
	issue(t, a, Node{Site: "330106", Node: "n1", Lifetime: time.Hour})
	if _, err := a.Revoke(Which{Site: "330106"}); err != nil {
		t.Fatal(err)
	}
	first := revocations(t, a)
	for _, step := range []struct {
		later time.Duration
		node  string
		want  int
	}{{29 * 24 * time.Hour, "n2", 2}, {2 * 24 * time.Hour, "n3", 2}} {
		c.now = c.now.Add(step.later)
		issue(t, a, Node{Site: "330106", Node: step.node, Lifetime: time.Hour})
		if _, err := a.Revoke(Which{Site: "330106", Node: step.node}); err != nil {
			t.Fatal(err)
		}
		list := revocations(t, a)
		if len(list.RevokedCertificateEntries) != step.want || list.Number.Cmp(first.Number) <= 0 {
			t.Errorf("list %d of %s has %d certificates, want %d and a greater number than %d", list.Number, step.node,
				len(list.RevokedCertificateEntries), step.want, first.Number)
		}
		first = list
	}
}

func TestRevokeSaysWhatItDoesNotFind(t *testing.T) {
	c := newClock()
	a := newTree(t, c)
	issue(t, a, xihu)
	for _, which := range []Which{{}, {Serial: "1", Site: "330106"}, {Node: "n1"}, {Site: "330108"}, {Serial: "ff"}} {
		if _, err := a.Revoke(which); err == nil {
			t.Errorf("revoked %+v", which)
		}
	}
	c.now = c.now.Add(91 * 24 * time.Hour)
	if _, err := a.Revoke(Which{Site: "330106"}); err == nil || !strings.Contains(err.Error(), "site 330106") {
		t.Errorf("revoked what has ended: %v", err)
	}
}

// The rest of a line whose writer was cut off stands for nothing, and is not in the way of the next.
func TestALedgerThatWasCutOffGoesOn(t *testing.T) {
	c := newClock()
	a := newTree(t, c)
	issue(t, a, xihu)
	path := filepath.Join(a.dir, ledgerFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) - 1 {
		if err := os.WriteFile(path, append(whole[:len(whole):len(whole)], whole[:cut]...), 0o600); err != nil {
			t.Fatal(err)
		}
		if entries, err := a.List(); err != nil || len(entries) != 1 {
			t.Fatalf("cut off after %d bytes: %v, %v", cut, entries, err)
		}
	}
	issue(t, a, xihu)
	if entries, err := a.List(); err != nil || len(entries) != 2 {
		t.Errorf("and one more: %v, %v", entries, err)
	}
}

func TestADamagedLedgerIsRefused(t *testing.T) {
	c := newClock()
	a := newTree(t, c)
	issue(t, a, xihu)
	path := filepath.Join(a.dir, ledgerFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"no JSON":                    "x\n",
		"a certificate twice":        string(whole),
		"a revocation of an unknown": `{"serial":"00","revoked":"2026-03-01T00:00:00Z"}` + "\n",
	} {
		if err := os.WriteFile(path, append(whole[:len(whole):len(whole)], text...), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := a.List(); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: %v, want an error that names line 2", name, err)
		}
		if _, err := a.Sign(nil, "330106", "n1"); err == nil {
			t.Errorf("%s: signed all the same", name)
		}
	}
}
