package web

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// TestNoWordIsMissing holds the catalogue against everything that asks for words: templates, code, and enums.
func TestNoWordIsMissing(t *testing.T) {
	t.Parallel()
	words, err := readCatalogue(files, "words.yaml")
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{
		// Keys that the code puts together or passes on.
		"sign-in.expired": true, "sign-in.unavailable": true, "sign-in.malformed": true, "sign-in.wrong": true,
		"sign-in.refused": true, "sign-in.step-lost": true, "sign-in.too-many": true, "wait.seconds": true, "wait.minutes": true,
		"password.done": true, "password.differ": true, "password.current-wrong": true, "password.weak": true, "password.elsewhere": true,
		"missing.site": true, "missing.sites": true, "missing.tickets": true,
		"move.queued.up": true, "move.queued.back": true, "move.transit.up": true, "move.transit.back": true,
		"banner.no-leader": true, "banner.frozen": true, "banner.major": true, "banner.recovering": true, "banner.recovered-soon": true, "never": true, "alive": true, "not-seen": true, "not-seen-since": true,
	}
	for prefix, enum := range map[string]protoreflect.EnumDescriptor{
		"state.":       deskpb.Ticket_NEW.Descriptor(),
		"line.":        deskpb.Ticket_FIRST.Descriptor(),
		"link.":        apipb.LinkStatus_UP.Descriptor(),
		"direction.":   apipb.LinkStatus_PARENT.Descriptor(),
		"banner.down.": apipb.LinkStatus_PARENT.Descriptor(),
		"role.":        apipb.Node_LEADER.Descriptor(),
		"tier.":        apipb.Site_CITY.Descriptor(),
	} {
		for i := range enum.Values().Len() {
			asked[prefix+string(enum.Values().Get(i).Name())] = true
		}
	}
	for _, spoken := range spokenReasons() {
		asked[spoken.key] = true
	}
	inTemplate := regexp.MustCompile(`\.Word "([^"]+)"`)
	err = fs.WalkDir(files, "templates", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		source, err := fs.ReadFile(files, path)
		for _, found := range inTemplate.FindAllStringSubmatch(string(source), -1) {
			asked[found[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	verb := regexp.MustCompile(`%[a-z]`)
	for key := range asked {
		message, ok := words[key]
		if !ok || message.Chinese == "" || message.English == "" {
			t.Errorf("word %q is not there in both languages: %+v", key, message)
		}
		if a, b := verb.FindAllString(message.Chinese, -1), verb.FindAllString(message.English, -1); !slices.Equal(a, b) {
			t.Errorf("word %q has placeholders %v in Chinese and %v in English", key, a, b)
		}
	}
	for key := range words {
		if !asked[key] {
			t.Errorf("word %q is never shown", key)
		}
	}
}

// TestTheChineseIsChinese finds texts that were left in English.
func TestTheChineseIsChinese(t *testing.T) {
	t.Parallel()
	words, err := readCatalogue(files, "words.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for key, message := range words {
		foreign := key == "language.other" || key == "language.code"
		if chinese := strings.ContainsFunc(message.Chinese, func(r rune) bool { return r >= 0x4e00 && r <= 0x9fff }); !chinese && !foreign {
			t.Errorf("word %q is %q in Chinese", key, message.Chinese)
		}
	}
}
