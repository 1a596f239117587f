package client

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

func (c *console) userCommand() *cobra.Command {
	return c.group("user", "用户: the people of this site", c.addUser(), c.listUsers(), c.setPassword(), c.removeUser())
}

// newPassword reads the password that somebody shall have from now on. A person at the terminal types it twice.
func (c *console) newPassword(cmd *cobra.Command, fromInput bool) (string, error) {
	const variable = "TIERDESK_NEW_PASSWORD"
	password, err := c.secret(cmd, fromInput, variable, "新密码 New password: ")
	if err != nil || fromInput || c.env.Getenv(variable) != "" {
		return password, err
	}
	again, err := c.env.Prompt(cmd.Context(), "再输一次 Again: ")
	if err != nil {
		return "", err
	}
	if again != password {
		return "", Usage("the two passwords differ: type the same one twice")
	}
	return password, nil
}

func passwordFlag(cmd *cobra.Command, fromInput *bool, variable string) {
	cmd.Flags().BoolVar(fromInput, "password-stdin", false,
		"read the password from standard input ("+variable+"; asked for on a terminal)")
}

func (c *console) addUser() *cobra.Command {
	user := &apipb.User{Role: apipb.User_AGENT}
	var fromInput bool
	cmd := &cobra.Command{Use: "add NAME", Short: "新增: let a person sign in", Args: takes("NAME")}
	cmd.Flags().StringVar(&user.DisplayName, "display-name", "", "the name that others see")
	role := enumFlag(&user.Role)
	cmd.Flags().Var(role, "role", "what the person may do: "+role.choices()+" (agent)")
	passwordFlag(cmd, &fromInput, "TIERDESK_NEW_PASSWORD")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		password, err := c.newPassword(cmd, fromInput)
		if err != nil {
			return err
		}
		user.Name = args[0]
		added, err := node.users.CreateUser(ctx, &apipb.CreateUserRequest{User: user, Password: password})
		if err != nil {
			return err
		}
		return out.answer(added, func() string {
			return fmt.Sprintf(out.say(phrase{"已新增用户 %s（%s）\n", "user %s was added (%s)\n"}),
				oneLine(added.GetName()), out.name(added.GetRole()))
		})
	})
	return cmd
}

func (c *console) listUsers() *cobra.Command {
	q := &apipb.ListUsersRequest{PageSize: maxPageSize}
	return &cobra.Command{Use: "list", Short: "列表: everybody who may sign in", Args: takes(),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
			columns, first := &table{}, true
			for {
				page, err := node.users.ListUsers(ctx, q)
				if err != nil {
					return err
				}
				err = out.answer(page, func() string { return out.users(columns, page.GetUsers(), first) })
				if err != nil || page.GetNextPageToken() == "" {
					return err
				}
				q.PageToken, first = page.GetNextPageToken(), false
			}
		})}
}

// users is a page of users, the first one under a header.
func (p *printer) users(columns *table, users []*apipb.User, first bool) string {
	var rows [][]string
	if first {
		rows = append(rows, p.header(phrase{"用户", "USER"}, phrase{"角色", "ROLE"}, phrase{"新增时间", "CREATED"},
			phrase{"姓名", "NAME"}))
	}
	for _, u := range users {
		rows = append(rows, []string{u.GetName(), p.name(u.GetRole()), p.when(u.GetCreateTime()), u.GetDisplayName()})
	}
	return columns.layOut(rows)
}

func (c *console) setPassword() *cobra.Command {
	var fromInput bool
	cmd := &cobra.Command{Use: "password NAME", Short: "密码: give a user another password and end the user's sessions",
		Args: takes("NAME")}
	passwordFlag(cmd, &fromInput, "TIERDESK_NEW_PASSWORD")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		password, err := c.newPassword(cmd, fromInput)
		if err != nil {
			return err
		}
		done, err := node.users.SetPassword(ctx, &apipb.SetPasswordRequest{Name: args[0], Password: password})
		if err != nil {
			return err
		}
		return out.answer(done, func() string {
			return fmt.Sprintf(out.say(phrase{"已更改 %s 的密码\n", "%s has another password\n"}), args[0])
		})
	})
	return cmd
}

func (c *console) removeUser() *cobra.Command {
	return &cobra.Command{Use: "remove NAME", Short: "移除: remove a user and end the user's sessions", Args: takes("NAME"),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
			done, err := node.users.DeleteUser(ctx, &apipb.DeleteUserRequest{Name: args[0]})
			if err != nil {
				return err
			}
			return out.answer(done, func() string {
				return fmt.Sprintf(out.say(phrase{"已移除用户 %s\n", "user %s was removed\n"}), args[0])
			})
		})}
}

func (c *console) tokenCommand() *cobra.Command {
	return c.group("token", "令牌: sign in and out", c.createToken(), c.endToken())
}

func (c *console) createToken() *cobra.Command {
	var user string
	var ttl time.Duration
	var fromInput bool
	cmd := &cobra.Command{Use: "create", Short: "登录: sign in and print the token", Args: takes()}
	cmd.Flags().StringVar(&user, "user", "", "who signs in")
	cmd.Flags().DurationVar(&ttl, "ttl", 0, "how long the token lives, up to 720h (12h)")
	passwordFlag(cmd, &fromInput, "TIERDESK_PASSWORD")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		if user == "" {
			return Usage("nobody signs in: name the user with --user")
		}
		password, err := c.secret(cmd, fromInput, "TIERDESK_PASSWORD", "密码 Password: ")
		if err != nil {
			return err
		}
		q := &apipb.CreateSessionRequest{User: user, Password: password}
		if cmd.Flags().Changed("ttl") {
			q.Ttl = durationpb.New(ttl)
		}
		session, err := node.sessions.CreateSession(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(session, func() string { return session.GetToken() + "\n" })
	})
	return cmd
}

func (c *console) endToken() *cobra.Command {
	return &cobra.Command{Use: "end", Short: "退出: end the token that the call carries", Args: takes(),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
			done, err := node.sessions.DeleteSession(ctx, &apipb.DeleteSessionRequest{})
			if err != nil {
				return err
			}
			return out.answer(done, func() string { return out.say(phrase{"已退出", "signed out"}) + "\n" })
		})}
}
