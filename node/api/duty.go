package api

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// duties serves who of the site's groups is on duty.
type duties struct {
	apipb.UnimplementedDutiesServer
	backend Backend
	clock   func() time.Time
}

func (d *duties) ListDuty(ctx context.Context, r *apipb.ListDutyRequest) (*apipb.ListDutyResponse, error) {
	at := d.clock()
	if r.GetTime() != nil {
		if err := r.GetTime().CheckValid(); err != nil {
			return nil, desk.RefuseField("time", "is no time; give one as 2006-01-02T15:04:05Z")
		}
		at = r.GetTime().AsTime()
	}
	answer := &apipb.ListDutyResponse{}
	err := d.backend.Read(ctx, false, func(reader *store.Reader) error {
		groups, err := tiers.Duties(reader, at.UnixMicro())
		if err != nil {
			return err
		}
		for _, group := range groups {
			if asked := r.GetGroup(); asked == "" || asked == group.Group.GetName() {
				answer.Groups = append(answer.Groups, dutyGroup(group))
			}
		}
		if r.GetColleagues() {
			answer.Colleagues, err = colleaguesOf(reader)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if r.GetGroup() != "" && len(answer.Groups) == 0 {
		return nil, desk.Refuse(desk.NotFound, "GROUP_NOT_FOUND", "the policy of %s has no group %.64q; list all groups",
			d.backend.Site(), r.GetGroup())
	}
	return answer, nil
}

// maxColleagues bounds those whom one answer names.
const maxColleagues = 2000

// colleaguesOf returns everybody with an account here who may sign in and does not only report problems.
func colleaguesOf(reader *store.Reader) (found []*apipb.Colleague, err error) {
	const chunk = 500
	last := desk.UserID("")
	for {
		users, err := reader.Users(last, chunk)
		if err != nil {
			return nil, fmt.Errorf("read the people of the site: %w", err)
		}
		for _, user := range users {
			last = desk.UserID(user.GetName())
			if user.GetRole() == deskpb.User_REQUESTER || user.GetDisabled() {
				continue
			}
			if len(found) == maxColleagues {
				return found, nil
			}
			found = append(found, &apipb.Colleague{User: user.GetName(), DisplayName: user.GetDisplayName(), Role: user.GetRole()})
		}
		if len(users) < chunk {
			return found, nil
		}
	}
}

func dutyGroup(g tiers.GroupDuty) *apipb.DutyGroup {
	shown := &apipb.DutyGroup{Name: g.Group.GetName(), Roster: g.Group.GetRoster(), Title: g.Group.GetTitle()}
	for _, member := range g.Members {
		shown.Members = append(shown.Members, &apipb.DutyMember{
			User: string(member.User), On: member.On, ByHand: member.ByHand, Until: moment(member.Until), DisplayName: g.Names[member.User],
		})
	}
	return shown
}

func (d *duties) SetDuty(ctx context.Context, r *apipb.SetDutyRequest) (*apipb.DutyMember, error) {
	user := cmp.Or(r.GetUser(), callerOf(ctx).actor.GetUser())
	var until int64
	if r.GetUntil() != nil {
		if err := r.GetUntil().CheckValid(); err != nil {
			return nil, desk.RefuseField("until", "is no time; give one as 2006-01-02T15:04:05Z")
		}
		until = r.GetUntil().AsTime().UnixMicro()
	}
	said := &deskpb.SetDuty{User: user, On: r.GetOn(), Until: until}
	if _, err := d.backend.Propose(ctx, &deskpb.Command{Kind: &deskpb.Command_SetDuty{SetDuty: said}}); err != nil {
		return nil, err
	}
	return &apipb.DutyMember{User: user, On: said.On, ByHand: true, Until: moment(until)}, nil
}
