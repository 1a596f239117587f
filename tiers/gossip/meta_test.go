package gossip

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hashicorp/memberlist"
	"pgregory.net/rapid"
)

func drawMember(t *rapid.T) Member {
	id := rapid.StringMatching(`[A-Za-z0-9]{1,32}`)
	m := Member{
		Site: id.Draw(t, "site"), Node: id.Draw(t, "node"), Parent: id.Draw(t, "parent"),
		Name:     rapid.StringOfN(rapid.RuneFrom([]rune(`西湖区运维中心<"&`)), 0, 300, -1).Draw(t, "name"),
		Tier:     rapid.SampledFrom([]string{province, city, county}).Draw(t, "tier"),
		GRPC:     rapid.StringMatching(`[a-z.]{1,60}:[0-9]{1,5}`).Draw(t, "grpc"),
		ServerID: id.Draw(t, "server"),
	}
	if m.Parent == m.Site {
		m.Parent = ""
	}
	return m
}

func TestAnnouncementsComeBackWithAtMostTheNameShortened(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMember(t)
		text, err := encodeMeta(m)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > memberlist.MetaMaxSize {
			t.Fatalf("announcement has %d bytes", len(text))
		}
		got, err := decodeMeta(m.member(), text)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(m.Name, got.Name) || !utf8.ValidString(got.Name) {
			t.Fatalf("name %q became %q", m.Name, got.Name)
		}
		if got.Name != m.Name && len(text) < memberlist.MetaMaxSize-6 {
			t.Fatalf("name was shortened although %d bytes are enough", len(text))
		}
		got.Name = m.Name
		if got != m {
			t.Fatalf("announced %+v, read %+v", m, got)
		}
	})
}

func TestAnnouncementsThatAreRefused(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"no JSON", `s=330106`, "reading"},
		{"another node", `{"s":"330106","d":"n2","g":"h:1"}`, "330106/n2"},
		{"a hidden slash", `{"s":"330106/n1","d":"","g":"h:1"}`, "speaks of"},
		{"its own parent", `{"s":"330106","d":"n1","p":"330106","g":"h:1"}`, "parent"},
		{"no address", `{"s":"330106","d":"n1","g":"h"}`, "grpc"},
		{"too long", `{"s":"330106","d":"n1","g":"h:1"}` + strings.Repeat(" ", 512), "more than 512"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := decodeMeta("330106/n1", []byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one with %q", err, test.want)
			}
		})
	}
}

func FuzzDecodeMeta(f *testing.F) {
	f.Add("330106/n1", []byte(`{"s":"330106","d":"n1","n":"西湖区","p":"330100","t":"county","g":"127.0.0.1:7400","i":"n1-8f"}`))
	f.Add("330106/n1", []byte(`{"s":"330106","d":"n1","g":"[::1]:7400","x":{}}`))
	f.Add("/", []byte(`{}`))
	f.Add("", []byte{})
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		m, err := decodeMeta(name, text)
		if err != nil {
			return
		}
		again, err := encodeMeta(m)
		if err != nil {
			return // escapes may need more bytes than the text had
		}
		got, err := decodeMeta(name, again)
		if err != nil {
			t.Fatalf("%+v was read and announced as %s, which is refused: %v", m, again, err)
		}
		if got.member() != m.member() || got.GRPC != m.GRPC || got.ServerID != m.ServerID {
			t.Fatalf("%+v was read, announced and read as %+v", m, got)
		}
	})
}
