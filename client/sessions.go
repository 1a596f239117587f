package client

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// passwordVariable names the variable of the environment that the caller's own password is read from.
const passwordVariable = "TIERDESK_PASSWORD"

func (c *console) sessionCommand() *cobra.Command {
	return c.group("session", "会话: who is signed in, and from where", c.listSessions(), c.revokeSessions(), c.whoAmI())
}

// signIn opens a session. When the password is right and a code is asked for, a person at the terminal is asked for it too.
func (c *console) signIn(cmd *cobra.Command, node *connection, q *apipb.CreateSessionRequest) (*apipb.CreateSessionResponse, error) {
	q.Code = c.env.Getenv(codeVariable)
	session, err := node.sessions.CreateSession(cmd.Context(), q)
	if q.Code != "" || c.env.Prompt == nil || !asksForCode(err) {
		return session, err
	}
	if q.Code, err = c.code(cmd); err != nil {
		return nil, err
	}
	return node.sessions.CreateSession(cmd.Context(), q)
}

// asksForCode tells whether a sign-in lacks nothing but the second factor's code.
func asksForCode(err error) bool {
	failure, ok := errors.AsType[*Failure](err)
	return ok && reasonOf(status.Convert(failure.Cause)) == "SECOND_FACTOR_REQUIRED"
}

// userFlag says whose sessions or tokens are meant.
func userFlag(cmd *cobra.Command, user *string) {
	cmd.Flags().StringVar(user, "user", "", "whose, by user name (you)")
}

// orSelf is the user who was named, or else who calls.
func orSelf(ctx context.Context, node *connection, user string) (string, error) {
	if user != "" {
		return user, nil
	}
	return self(ctx, node)
}

func (c *console) listSessions() *cobra.Command {
	var user string
	cmd := &cobra.Command{Use: "list", Short: "列表: the open sessions, the latest first", Args: takes()}
	userFlag(cmd, &user)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		name, err := orSelf(ctx, node, user)
		if err != nil {
			return err
		}
		open, err := node.sessions.ListSessions(ctx, &apipb.ListSessionsRequest{User: name})
		if err != nil {
			return err
		}
		return out.answer(open, func() string { return out.sessions(open.GetSessions()) })
	})
	return cmd
}

func (p *printer) sessions(open []*apipb.Session) string {
	rows := [][]string{p.header(phrase{"编号", "ID"}, phrase{"登录时间", "SINCE"}, phrase{"最近使用", "SEEN"}, phrase{"到期", "EXPIRES"},
		phrase{"本会话", "THIS"}, phrase{"来自", "FROM"}, phrase{"客户端", "PROGRAM"})}
	for _, s := range open {
		rows = append(rows, []string{s.GetId(), p.when(s.GetCreateTime()), p.when(s.GetSeenTime()), p.when(s.GetExpireTime()),
			p.yes(s.GetCurrent()), s.GetAddress(), s.GetClient()})
	}
	if len(rows) == 1 {
		return p.say(phrase{"没有会话\n", "no session is open\n"})
	}
	return new(table).layOut(rows)
}

func (c *console) revokeSessions() *cobra.Command {
	var user string
	var all bool
	cmd := &cobra.Command{Use: "revoke [ID]", Short: "注销: end a session, or with --all all sessions and access tokens but this one",
		Args: func(cmd *cobra.Command, args []string) error {
			if all {
				return takes()(cmd, args)
			}
			return takes("ID")(cmd, args)
		}}
	userFlag(cmd, &user)
	cmd.Flags().BoolVar(&all, "all", false, "all sessions and access tokens of the user, but the one that the call carries")
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		name, err := orSelf(ctx, node, user)
		if err != nil {
			return err
		}
		if all {
			done, err := node.sessions.RevokeSessions(ctx, &apipb.RevokeSessionsRequest{User: name})
			if err != nil {
				return err
			}
			return out.answer(done, func() string {
				return fmt.Sprintf(out.say(phrase{"已注销 %s 的其他会话和访问令牌\n", "all other sessions and access tokens of %s have ended\n"}), oneLine(name))
			})
		}
		done, err := node.sessions.RevokeSession(ctx, &apipb.RevokeSessionRequest{User: name, Id: args[0]})
		if err != nil {
			return err
		}
		return out.answer(done, func() string {
			return fmt.Sprintf(out.say(phrase{"已注销会话 %s\n", "session %s has ended\n"}), oneLine(args[0]))
		})
	})
	return cmd
}

func (c *console) whoAmI() *cobra.Command {
	return &cobra.Command{Use: "whoami", Short: "我是谁: whose token the calls carry, and what it may do", Args: takes(),
		RunE: c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
			caller, err := node.sessions.GetCaller(ctx, &apipb.GetCallerRequest{})
			if err != nil {
				return err
			}
			return out.answer(caller, func() string {
				b := &block{printer: out}
				b.when(phrase{"到期", "Expires"}, caller.GetSession().GetExpireTime())
				b.add(phrase{"权限", "May"}, strings.Join(caller.GetPermissions(), " "))
				return out.user(caller.GetUser()) + b.String()
			})
		})}
}
