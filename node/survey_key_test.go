package node

import (
	"bytes"
	"testing"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/store"
)

func TestASiteIsFoundedWithASurveyKeyOfItsOwn(t *testing.T) {
	n := start(t, configuration(t, "n1"))
	awaitReady(t, n)
	key := surveyKeyOf(t, n)
	if len(key) != desk.SurveyKeySize || bytes.Equal(key, make([]byte, desk.SurveyKeySize)) {
		t.Fatalf("the survey key is %x", key)
	}
	if err := n.ensureSurveyKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := surveyKeyOf(t, n); !bytes.Equal(again, key) {
		t.Errorf("the key is replaced by %x", again)
	}
}

func surveyKeyOf(t *testing.T, n *Node) (key []byte) {
	t.Helper()
	err := n.store.View(func(r *store.Reader) error {
		site, err := r.Site()
		key = site.GetSurveyKey()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return key
}
