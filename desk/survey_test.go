package desk

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var surveyKey = bytes.Repeat([]byte{7}, SurveyKeySize)

func TestASurveyTokenOpensUntilItsTimeIsOver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := TicketNumber(rapid.StringN(1, 40, 80).Draw(t, "number"))
		expires := rapid.Int64Range(0, maxTime).Draw(t, "expires")
		token := SurveyToken(surveyKey, number, expires)
		if got, until, err := OpenSurvey(surveyKey, token, expires); got != number || until != expires || err != nil {
			t.Fatalf("the token of %q until %d opens as %q until %d, %v", number, expires, got, until, err)
		}
		if _, _, err := OpenSurvey(surveyKey, token, expires+1); reason(err) != "SURVEY_OVER" {
			t.Fatalf("a microsecond late it comes to %v", err)
		}
	})
}

func TestASurveyTokenCannotBeMadeUp(t *testing.T) {
	token := SurveyToken(surveyKey, "330106-20261121-0042", morning)
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 1
		if _, _, err := OpenSurvey(surveyKey, base64.RawURLEncoding.EncodeToString(changed), morning); reason(err) != "UNKNOWN_SURVEY" {
			t.Errorf("with byte %d changed it comes to %v", i, err)
		}
	}
	if strings.ContainsAny(token, "/+=?&#%") {
		t.Errorf("%q cannot stand in a path as it is", token)
	}
	other := bytes.Repeat([]byte{8}, SurveyKeySize)
	for name, key := range map[string][]byte{"another site's key": other, "no key": nil, "half a key": surveyKey[:16]} {
		if _, _, err := OpenSurvey(key, token, morning); reason(err) != "UNKNOWN_SURVEY" {
			t.Errorf("%s comes to %v", name, err)
		}
	}
	if _, _, err := OpenSurvey(nil, SurveyToken(nil, "x", morning), morning); reason(err) != "UNKNOWN_SURVEY" {
		t.Errorf("a token made without a key is opened without one: %v", err)
	}
}

func FuzzOpenSurvey(f *testing.F) {
	f.Add(SurveyToken(surveyKey, "330106-20261121-0042", morning))
	f.Add("")
	f.Add("!")
	f.Add(strings.Repeat("A", 64))
	f.Fuzz(func(t *testing.T, token string) {
		number, expires, err := OpenSurvey(surveyKey, token, 0)
		if err == nil && SurveyToken(surveyKey, number, expires) != token {
			t.Fatalf("%q opens as %q until %d, whose token is another one", token, number, expires)
		}
	})
}
