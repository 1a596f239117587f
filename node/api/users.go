package api

import (
	"context"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/node/api/apipb"
	"github.com/tierdesk/tierdesk/store"
	"github.com/tierdesk/tierdesk/tiers"
)

// users serves the people of the site. Rights, fields and passwords are checked by People; no secret leaves it.
type users struct {
	apipb.UnimplementedUsersServer
	people  People
	backend Backend
	clock   func() time.Time
}

func (u *users) CreateUser(ctx context.Context, r *apipb.CreateUserRequest) (*apipb.User, error) {
	if r.GetUser().GetName() == "" {
		return nil, desk.RefuseField("user.name", "is missing; give the name that the user signs in with")
	}
	return u.complete(ctx)(u.people.CreateUser(ctx, callerOf(ctx).actor, r))
}

func (u *users) GetUser(ctx context.Context, r *apipb.GetUserRequest) (*apipb.User, error) {
	actor := callerOf(ctx).actor
	return u.complete(ctx)(u.people.User(ctx, actor, orOneself(actor, r.GetName())))
}

func (u *users) ListUsers(ctx context.Context, r *apipb.ListUsersRequest) (*apipb.ListUsersResponse, error) {
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	scope := pageScope{"users", r.GetSearch(), r.GetRole().String()}
	after, err := scope.open(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	fits, err := u.wanted(ctx, r)
	if err != nil {
		return nil, err
	}
	// One more than the page tells whether there is a next one.
	found, err := u.people.ListUsers(ctx, callerOf(ctx).actor, store.UserQuery{After: desk.UserID(after), Limit: size + 1, Fits: fits})
	if err != nil {
		return nil, err
	}
	answer := &apipb.ListUsersResponse{Users: found[:min(size, len(found))]}
	if len(found) > size {
		answer.NextPageToken = scope.seal([]byte(found[size-1].GetName()))
	}
	return answer, u.place(ctx, answer.Users)
}

func (u *users) UpdateUser(ctx context.Context, r *apipb.UpdateUserRequest) (*apipb.User, error) {
	return u.complete(ctx)(u.people.UpdateUser(ctx, callerOf(ctx).actor, r))
}

func (u *users) SetPassword(ctx context.Context, r *apipb.SetPasswordRequest) (*emptypb.Empty, error) {
	actor := callerOf(ctx).actor
	r = proto.CloneOf(r)
	r.Name = string(orOneself(actor, r.GetName()))
	return empty(u.people.SetPassword(ctx, actor, r))
}

func (u *users) UnlockUser(ctx context.Context, r *apipb.UnlockUserRequest) (*apipb.User, error) {
	return u.complete(ctx)(u.people.UnlockUser(ctx, callerOf(ctx).actor, desk.UserID(r.GetName())))
}

func (u *users) EnrolSecondFactor(ctx context.Context, r *apipb.EnrolSecondFactorRequest) (*apipb.EnrolSecondFactorResponse, error) {
	actor := callerOf(ctx).actor
	r = proto.CloneOf(r)
	r.Name = string(orOneself(actor, r.GetName()))
	return u.people.EnrolSecondFactor(ctx, actor, r)
}

func (u *users) ConfirmSecondFactor(ctx context.Context, r *apipb.ConfirmSecondFactorRequest) (*apipb.User, error) {
	actor := callerOf(ctx).actor
	r = proto.CloneOf(r)
	r.Name = string(orOneself(actor, r.GetName()))
	return u.complete(ctx)(u.people.ConfirmSecondFactor(ctx, actor, r))
}

func (u *users) RemoveSecondFactor(ctx context.Context, r *apipb.RemoveSecondFactorRequest) (*apipb.User, error) {
	actor := callerOf(ctx).actor
	r = proto.CloneOf(r)
	r.Name = string(orOneself(actor, r.GetName()))
	return u.complete(ctx)(u.people.RemoveSecondFactor(ctx, actor, r))
}

func (u *users) DeleteUser(ctx context.Context, r *apipb.DeleteUserRequest) (*emptypb.Empty, error) {
	return empty(u.people.DeleteUser(ctx, callerOf(ctx).actor, desk.UserID(r.GetName())))
}

// complete adds to the user that a call of People returns what the policy says of the person.
func (u *users) complete(ctx context.Context) func(*apipb.User, error) (*apipb.User, error) {
	return func(user *apipb.User, err error) (*apipb.User, error) {
		if err != nil {
			return nil, err
		}
		return user, u.place(ctx, []*apipb.User{user})
	}
}

// place says of each user which groups the person is a member of, by the policy or the account, and whether the person is on duty in one
// of them now.
func (u *users) place(ctx context.Context, people []*apipb.User) error {
	return u.backend.Read(ctx, true, func(r *store.Reader) error {
		named := make(map[desk.UserID]*apipb.User, len(people))
		for _, person := range people {
			named[desk.UserID(person.Name)] = person
			person.MemberOf = slices.Clone(person.Groups)
		}
		groups, err := tiers.DutiesAmong(r, u.clock().UnixMicro(), slices.Collect(maps.Keys(named)))
		if err != nil {
			return err
		}
		for _, group := range groups {
			for _, member := range group.Members {
				person, name := named[member.User], group.Group.GetName()
				if !slices.Contains(person.MemberOf, name) {
					person.MemberOf = append(person.MemberOf, name)
				}
				person.OnDuty = person.OnDuty || member.On
			}
		}
		return nil
	})
}
