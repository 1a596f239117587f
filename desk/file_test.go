package desk

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

func TestFileNamesAreSafeEverywhere(t *testing.T) {
	long := strings.Repeat("报", 300)
	for given, want := range map[string]string{
		"报错 截图.png":                     "报错 截图.png",
		"a.b.tar.gz":                    "a.b.tar.gz",
		"/etc/passwd":                   "passwd",
		"../../../etc/shadow":           "shadow",
		`C:\Windows\system32\calc.exe`:  "calc.exe",
		`..\..\boot.ini`:                "boot.ini",
		"..":                            "file",
		"":                              "file",
		"   ":                           "file",
		"/":                             "file",
		".hidden":                       "hidden",
		"trailing. . .":                 "trailing",
		"line\nbreak\tand\x00nul\x7f":   "line break andnul",
		"gnp.\u202eexe":                 "gnp.exe",
		"a\u2066b\u2069c\u200fd\ufeff":  "abcd",
		"a\u2028b":                      "ab",
		`what<is>"this"|?*:.txt`:        "what_is__this_____.txt",
		"CON":                           "_CON",
		"con.txt":                       "_con.txt",
		"Nul .log":                      "_Nul .log",
		"COM1.png":                      "_COM1.png",
		"lpt¹":                          "_lpt¹",
		"COM10.png":                     "COM10.png",
		"console.log":                   "console.log",
		"bad\xffutf8.txt":               "bad�utf8.txt",
		long:                            long[:MaxFileName*len("报")],
		long + ".png":                   long[:(MaxFileName-4)*len("报")] + ".png",
		"a." + strings.Repeat("x", 300): "a." + strings.Repeat("x", MaxFileName-2),
	} {
		if got := FileName(given); got != want {
			t.Errorf("FileName(%q) = %q, want %q", given, got, want)
		}
	}
}

func FuzzFileName(f *testing.F) {
	for _, seed := range []string{"a.png", "..", "CON.", "\u202e", strings.Repeat(". ", 200) + "x", "\xff", "a/b\\c", strings.Repeat("é.", 100)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, given string) {
		name := FileName(given)
		switch {
		case name == "" || strings.Trim(name, ". ") != name:
			t.Errorf("%q becomes %q, which some system cannot keep", given, name)
		case !utf8.ValidString(name) || utf8.RuneCountInString(name) > MaxFileName:
			t.Errorf("%q becomes %q, which is no UTF-8 or too long", given, name)
		case strings.ContainsAny(name, `/\<>:"|?*`) || strings.ContainsFunc(name, unicode.IsControl) || strings.ContainsFunc(name, misleads):
			t.Errorf("%q becomes %q, which holds what misleads", given, name)
		case FileName(name) != name:
			t.Errorf("%q becomes %q at first and %q then", given, name, FileName(name))
		}
	})
}

// attachCommand attaches a file of seven bytes under a name.
func attachCommand(name string) *deskpb.TicketCommand {
	return &deskpb.TicketCommand{Verb: &deskpb.TicketCommand_Attach{Attach: &deskpb.Attach{Attachment: &deskpb.Attachment{
		Name: name, Size: 7, MediaType: "text/plain", Sha256: hex.EncodeToString(contentHash()),
	}}}}
}

func contentHash() []byte { return bytes.Repeat([]byte{0xAB}, FileHash) }

// hasFile gives an office the content of attachCommand as far as the blob says.
func (o *office) hasFile(blob *deskpb.Blob) {
	blob.Sha256 = contentHash()
	o.files = map[string]*deskpb.Blob{string(contentHash()): blob}
}

func TestAttachNeedsTheWholeContentHere(t *testing.T) {
	for name, c := range map[string]struct {
		blob   *deskpb.Blob
		change func(*deskpb.Attachment)
		reason string
	}{
		"here":                  {blob: &deskpb.Blob{Size: 7, Complete: morning}},
		"not here":              {reason: "CONTENT_MISSING"},
		"not whole":             {blob: &deskpb.Blob{Size: 7}, reason: "CONTENT_MISSING"},
		"of another size":       {blob: &deskpb.Blob{Size: 8, Complete: morning}, reason: "CONTENT_MISSING"},
		"empty":                 {change: func(a *deskpb.Attachment) { a.Size = 0 }, reason: "INVALID_FIELD"},
		"too large":             {change: func(a *deskpb.Attachment) { a.Size = MaxFile + 1 }, reason: "INVALID_FIELD"},
		"a path":                {change: func(a *deskpb.Attachment) { a.Name = "../x" }, reason: "INVALID_FIELD"},
		"a name of two lines":   {change: func(a *deskpb.Attachment) { a.Name = "a\nb" }, reason: "INVALID_FIELD"},
		"no name":               {change: func(a *deskpb.Attachment) { a.Name = " " }, reason: "INVALID_FIELD"},
		"no type":               {change: func(a *deskpb.Attachment) { a.MediaType = "" }, reason: "INVALID_FIELD"},
		"half a hash":           {change: func(a *deskpb.Attachment) { a.Sha256 = a.Sha256[:32] }, reason: "INVALID_FIELD"},
		"a hash in upper case":  {change: func(a *deskpb.Attachment) { a.Sha256 = strings.ToUpper(a.Sha256) }, reason: "INVALID_FIELD"},
		"a hash that is no hex": {change: func(a *deskpb.Attachment) { a.Sha256 = strings.Repeat("zz", FileHash) }, reason: "INVALID_FIELD"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, deskpb.Ticket_NEW)
			s.reach(county)
			if c.blob != nil {
				s.tree.office(county).hasFile(c.blob)
			}
			command := by(agent("lin"), s.number, attachCommand("a.txt"))
			if c.change != nil {
				c.change(command.GetAttach().GetAttachment())
			}
			if _, err := s.tree.do(county, command); reason(err) != c.reason {
				t.Errorf("attach: %v, want %q", err, c.reason)
			}
		})
	}
}

// Sites that attach files at once, each before it hears of the other, come to the same list in the same order.
func TestFilesOfTwoSitesStandInTheSameOrderEverywhere(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.escalateToCity()
	for _, site := range []SiteID{city, county} {
		s.tree.office(site).hasFile(&deskpb.Blob{Size: 7, Complete: morning})
	}
	s.do(city, by(agent("wang"), s.number, attachCommand("later.txt")))
	s.tree.office(county).behind = 10 * minute
	s.do(county, by(agent("lin"), s.number, attachCommand("earlier.txt")))
	s.drain()
	if err := s.tree.agree(s.number); err != nil {
		t.Fatal(err)
	}
	all := s.tree.office(city).records[s.number].GetTicket().GetAttachments()
	if len(all) != 2 || !slices.IsSortedFunc(all, func(a, b *deskpb.Attachment) int { return a.GetTime().AsTime().Compare(b.GetTime().AsTime()) }) {
		t.Fatalf("the attachments are %v, want two by time", all)
	}
	for _, a := range all {
		want := map[string]SiteID{"later.txt": city, "earlier.txt": county}[a.GetName()]
		if SiteID(a.GetSite()) != want || a.GetId() == "" || a.GetActor() == "" {
			t.Errorf("attachment %v does not say that it was added at %s, by whom and under which id", a, want)
		}
	}
}

func TestATicketTakesOnlySoManyFiles(t *testing.T) {
	s := newStage(t, deskpb.Ticket_NEW)
	s.reach(county)
	o := s.tree.office(county)
	o.hasFile(&deskpb.Blob{Size: 7, Complete: morning})
	full := proto.CloneOf(o.records[s.number])
	for range maxAttachments {
		full.Ticket.Attachments = append(full.Ticket.Attachments, &deskpb.Attachment{})
	}
	o.records[s.number] = full
	if _, err := s.tree.do(county, by(agent("lin"), s.number, attachCommand("a.txt"))); reason(err) != "TOO_MANY_ATTACHMENTS" {
		t.Errorf("file %d: %v, want it refused", maxAttachments+1, err)
	}
}
