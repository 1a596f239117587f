package client

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// newPasswordVariable names the variable of the environment that a password is read from which somebody shall have from now on.
const newPasswordVariable = "TIERDESK_NEW_PASSWORD"

func (c *console) userCommand() *cobra.Command {
	return c.group("user", "用户: the people of this site", c.addUser(), c.listUsers(), c.showUser(), c.changeUser(), c.setPassword(),
		c.unlockUser(), c.bar("disable", "停用: let a user sign in no more and end what is open", true),
		c.bar("enable", "启用: let a user sign in again", false), c.removeUser(), c.secondFactorCommand())
}

// newPassword reads the password that somebody shall have from now on. A person at the terminal types it twice.
func (c *console) newPassword(cmd *cobra.Command, fromInput bool) (string, error) {
	password, err := c.secret(cmd, fromInput, newPasswordVariable, "新密码 New password: ")
	if err != nil || fromInput || c.env.Getenv(newPasswordVariable) != "" {
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

// lines is a flag that takes names of lines, several times or joined by commas.
type lines struct{ to *[]apipb.User_Line }

func (l lines) String() string { return "" }

func (l lines) Type() string { return "names" }

func (l lines) Set(given string) error {
	for name := range strings.SplitSeq(given, ",") {
		var line apipb.User_Line
		if name == "" {
			continue // --line= takes all lines away, which means every line
		}
		if err := enumFlag(&line).Set(name); err != nil {
			return err
		}
		*l.to = append(*l.to, line)
	}
	return nil
}

// accountFields are the fields of an account by the flags that set them.
func accountFields() map[string]string {
	return map[string]string{"display-name": "displayName", "role": "role", "scope": "scope", "office": "offices", "group": "groups",
		"line": "lines", "phone": "phone", "email": "email", "unit": "unit"}
}

// accountFlags sets what an administrator says about a person.
func accountFlags(f *pflag.FlagSet, user *apipb.User) {
	f.StringVar(&user.DisplayName, "display-name", "", "the name that others see")
	role, scope := enumFlag(&user.Role), enumFlag(&user.Scope)
	f.Var(role, "role", "what the person may do: "+role.choices())
	f.Var(scope, "scope", "which tickets the person sees: "+scope.choices()+" (own for a requester, subtree for others)")
	f.StringSliceVar(&user.Offices, "office", nil, "with scope subtree: only tickets of this site and of those below it; several times")
	f.StringSliceVar(&user.Groups, "group", nil, "a group that the person is a member of; several times")
	f.Var(lines{&user.Lines}, "line", "a line that the person works at: first, second, third; several times (all)")
	f.StringVar(&user.Phone, "phone", "", "telephone number")
	f.StringVar(&user.Email, "email", "", "mail address")
	f.StringVar(&user.Unit, "unit", "", "the unit that the person belongs to")
}

func (c *console) addUser() *cobra.Command {
	q := &apipb.CreateUserRequest{User: &apipb.User{Role: apipb.User_AGENT}}
	var fromInput bool
	cmd := &cobra.Command{Use: "add NAME", Short: "新增: let a person sign in", Args: takes("NAME")}
	accountFlags(cmd.Flags(), q.User)
	cmd.Flags().BoolVar(&q.KeepPassword, "keep-password", false, "the person knows the password and need not set another one")
	passwordFlag(cmd, &fromInput, newPasswordVariable)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) (err error) {
		if q.Password, err = c.newPassword(cmd, fromInput); err != nil {
			return err
		}
		q.User.Name = args[0]
		added, err := node.users.CreateUser(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(added, func() string {
			line := fmt.Sprintf(out.say(phrase{"已新增用户 %s（%s）", "user %s was added (%s)"}), oneLine(added.GetName()), out.name(added.GetRole()))
			if added.GetMustChangePassword() {
				line += out.say(phrase{"；首次登录须更改密码", "; the first sign-in asks for another password"})
			}
			return line + "\n"
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

func (c *console) showUser() *cobra.Command {
	return &cobra.Command{Use: "show NAME", Short: "查看: what is known of a user", Args: takes("NAME"),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
			user, err := node.users.GetUser(ctx, &apipb.GetUserRequest{Name: args[0]})
			if err != nil {
				return err
			}
			return out.answer(user, func() string { return out.user(user) })
		})}
}

// changeUser changes what the flags name. A list that is given empty becomes empty.
func (c *console) changeUser() *cobra.Command {
	user := &apipb.User{}
	cmd := &cobra.Command{Use: "change NAME", Short: "更改: change what a user is and may do, as the flags say", Args: takes("NAME")}
	accountFlags(cmd.Flags(), user)
	cmd.Flags().StringVar(&user.Etag, "etag", "", "refuse when the user was changed since this version")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		fields := accountFields()
		var changed []string
		cmd.Flags().Visit(func(f *pflag.Flag) {
			if name := fields[f.Name]; name != "" {
				changed = append(changed, name)
			}
		})
		if len(changed) == 0 {
			return Usage("nothing to change: name what with a flag; see %s --help", cmd.CommandPath())
		}
		user.Name = args[0]
		done, err := node.users.UpdateUser(ctx, &apipb.UpdateUserRequest{User: user, Fields: strings.Join(changed, ",")})
		if err != nil {
			return err
		}
		return out.answer(done, func() string { return out.user(done) })
	})
	return cmd
}

// setPassword sets somebody else's password, or the own one, for which the present one is asked.
func (c *console) setPassword() *cobra.Command {
	var fromInput bool
	cmd := &cobra.Command{Use: "password [NAME]", Args: nameOrNone,
		Short: "密码: set your own password, or give a user another one; the user's sessions end"}
	passwordFlag(cmd, &fromInput, newPasswordVariable)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) (err error) {
		q := &apipb.SetPasswordRequest{}
		if len(args) == 0 {
			if q.Name, err = self(ctx, node); err != nil {
				return err
			}
			if q.CurrentPassword, err = c.secret(cmd, false, passwordVariable, "现在的密码 Present password: "); err != nil {
				return err
			}
		} else {
			q.Name = args[0]
		}
		if q.Password, err = c.newPassword(cmd, fromInput); err != nil {
			return err
		}
		done, err := node.users.SetPassword(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(done, func() string {
			words := phrase{"已更改 %s 的密码\n", "%s has another password\n"}
			if len(args) == 0 {
				words = phrase{"已更改 %s 的密码，请重新登录\n", "%s has another password; sign in again\n"}
			}
			return fmt.Sprintf(out.say(words), oneLine(q.Name))
		})
	})
	return cmd
}

// nameOrNone is the Args of a command about a user: the caller when none is named.
func nameOrNone(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return takes("NAME")(cmd, args)
}

// self is the name of who calls.
func self(ctx context.Context, node *connection) (string, error) {
	caller, err := node.sessions.GetCaller(ctx, &apipb.GetCallerRequest{})
	return caller.GetUser().GetName(), err
}

func (c *console) unlockUser() *cobra.Command {
	return &cobra.Command{Use: "unlock NAME", Short: "解锁: let a user try again who gave too many wrong passwords", Args: takes("NAME"),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
			done, err := node.users.UnlockUser(ctx, &apipb.UnlockUserRequest{Name: args[0]})
			if err != nil {
				return err
			}
			return out.answer(done, func() string {
				return fmt.Sprintf(out.say(phrase{"已解锁 %s\n", "%s may try again\n"}), oneLine(args[0]))
			})
		})}
}

// bar makes the command that disables a user, or the one that enables one.
func (c *console) bar(name, short string, disabled bool) *cobra.Command {
	return &cobra.Command{Use: name + " NAME", Short: short, Args: takes("NAME"),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
			done, err := node.users.UpdateUser(ctx, &apipb.UpdateUserRequest{
				User: &apipb.User{Name: args[0], Disabled: disabled}, Fields: "disabled"})
			if err != nil {
				return err
			}
			return out.answer(done, func() string {
				words := phrase{"已启用 %s\n", "%s may sign in again\n"}
				if disabled {
					words = phrase{"已停用 %s\n", "%s may sign in no more\n"}
				}
				return fmt.Sprintf(out.say(words), oneLine(args[0]))
			})
		})}
}

func (c *console) removeUser() *cobra.Command {
	return &cobra.Command{Use: "remove NAME", Short: "移除: remove a user and end the user's sessions", Args: takes("NAME"),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
			done, err := node.users.DeleteUser(ctx, &apipb.DeleteUserRequest{Name: args[0]})
			if err != nil {
				return err
			}
			return out.answer(done, func() string {
				return fmt.Sprintf(out.say(phrase{"已移除用户 %s\n", "user %s was removed\n"}), oneLine(args[0]))
			})
		})}
}
