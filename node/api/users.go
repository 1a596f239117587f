package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/tierdesk/tierdesk/desk"
	"github.com/tierdesk/tierdesk/desk/deskpb"
	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// users serves the people of the site. Rights, names and passwords are checked by People; a password's hash never
// leaves it.
type users struct {
	apipb.UnimplementedUsersServer
	people People
}

func (u *users) CreateUser(ctx context.Context, r *apipb.CreateUserRequest) (*apipb.User, error) {
	user := r.GetUser()
	switch {
	case user.GetName() == "":
		return nil, desk.RefuseField("user.name", "is missing; give the name that the user signs in with")
	case deskpb.User_Role_name[int32(user.GetRole())] == "" || user.GetRole() == apipb.User_ROLE_UNSPECIFIED:
		return nil, desk.RefuseField("user.role", "is missing or unknown; give AGENT, INCIDENT_MANAGER or ADMINISTRATOR")
	}
	made, err := u.people.CreateUser(ctx, callerOf(ctx).actor, &deskpb.User{
		Name:        user.GetName(),
		DisplayName: user.GetDisplayName(),
		Role:        deskpb.User_Role(user.GetRole()),
	}, r.GetPassword())
	if err != nil {
		return nil, err
	}
	return shownUser(made), nil
}

func (u *users) ListUsers(ctx context.Context, r *apipb.ListUsersRequest) (*apipb.ListUsersResponse, error) {
	size, err := pageSize(r.GetPageSize())
	if err != nil {
		return nil, err
	}
	scope := pageScope{"users"}
	after, err := scope.open(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	// One more than the page tells whether there is a next one.
	found, err := u.people.ListUsers(ctx, callerOf(ctx).actor, desk.UserID(after), size+1)
	if err != nil {
		return nil, err
	}
	answer := &apipb.ListUsersResponse{}
	for _, user := range found[:min(size, len(found))] {
		answer.Users = append(answer.Users, shownUser(user))
	}
	if len(found) > size {
		answer.NextPageToken = scope.seal([]byte(found[size-1].GetName()))
	}
	return answer, nil
}

func (u *users) SetPassword(ctx context.Context, r *apipb.SetPasswordRequest) (*emptypb.Empty, error) {
	if err := u.people.SetPassword(ctx, callerOf(ctx).actor, desk.UserID(r.GetName()), r.GetPassword()); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}

func (u *users) DeleteUser(ctx context.Context, r *apipb.DeleteUserRequest) (*emptypb.Empty, error) {
	if err := u.people.DeleteUser(ctx, callerOf(ctx).actor, desk.UserID(r.GetName())); err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, nil
}

// shownUser is a user without the password's hash.
func shownUser(user *deskpb.User) *apipb.User {
	return &apipb.User{
		Name:        user.GetName(),
		DisplayName: user.GetDisplayName(),
		Role:        apipb.User_Role(user.GetRole()),
		CreateTime:  user.GetCreateTime(),
	}
}
