package node

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/store"
)

// newSurveyKey draws the key of a site's surveys.
func newSurveyKey() []byte {
	key := make([]byte, desk.SurveyKeySize)
	_, _ = rand.Read(key) // it never fails: the program would end
	return key
}

// ensureSurveyKey gives the site the key of its surveys when it has none.
func (n *Node) ensureSurveyKey(ctx context.Context) error {
	var site *deskpb.Site
	err := n.store.View(func(r *store.Reader) (err error) {
		site, err = r.Site()
		return err
	})
	if err != nil || len(site.GetSurveyKey()) > 0 {
		return err
	}
	_, err = n.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_PutSurveyKey{
		PutSurveyKey: &deskpb.PutSurveyKey{Key: newSurveyKey()},
	}})
	if err != nil {
		return fmt.Errorf("give the site a survey key: %w", err)
	}
	return nil
}
