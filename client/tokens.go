package client

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// longestToken is how many days an access token may live at most.
const longestToken = 366

func (c *console) tokenCommand() *cobra.Command {
	return c.group("token", "令牌: sign in and out; access tokens for programs", c.createToken(), c.listTokens(), c.revokeToken(), c.endToken())
}

// tokenFlags are what a token is asked for with: a person's, by signing in, or with a title a program's.
type tokenFlags struct {
	user      string
	ttl       time.Duration
	title     string
	limits    []string
	days      int
	fromInput bool
}

func (c *console) createToken() *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{Use: "create", Short: "登录: sign in and print the token; with --title print an access token for a program", Args: takes()}
	cmd.Flags().StringVar(&f.user, "user", "", "who signs in; with a second factor the six digits come from "+codeVariable)
	cmd.Flags().DurationVar(&f.ttl, "ttl", 0, "the longest that the session lives, up to 720h (30 days; 12 hours unused)")
	cmd.Flags().StringVar(&f.title, "title", "", "make an access token of the caller, named so")
	cmd.Flags().StringSliceVar(&f.limits, "limit", nil, "what an access token may do: an area such as tickets or tickets:read, or read; several times")
	cmd.Flags().IntVar(&f.days, "days", 0, "how many days an access token lives, up to 366 (90)")
	passwordFlag(cmd, &f.fromInput, passwordVariable)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		if f.title != "" {
			return c.makeAccessToken(ctx, cmd, f, node, out)
		}
		return c.openSession(cmd, f, node, out)
	})
	return cmd
}

// openSession signs a person in and prints the token. That another password must be set first is said beside it.
func (c *console) openSession(cmd *cobra.Command, f tokenFlags, node *connection, out *printer) error {
	switch {
	case f.user == "":
		return Usage("nobody signs in: name the user with --user, or make an access token with --title")
	case len(f.limits) > 0 || f.days != 0:
		return Usage("--limit and --days are of an access token: name it with --title")
	}
	password, err := c.secret(cmd, f.fromInput, passwordVariable, "密码 Password: ")
	if err != nil {
		return err
	}
	q := &apipb.CreateSessionRequest{User: f.user, Password: password}
	if cmd.Flags().Changed("ttl") {
		q.Ttl = durationpb.New(f.ttl)
	}
	session, err := c.signIn(cmd, node, q)
	if err != nil {
		return err
	}
	if session.GetMustChangePassword() && !out.json {
		fmt.Fprintln(cmd.ErrOrStderr(), out.say(phrase{"须先更改密码: 把令牌放入 TIERDESK_TOKEN 后执行 tierdesk user password",
			"another password is needed first: put the token into TIERDESK_TOKEN and run tierdesk user password"}))
	}
	return out.answer(session, func() string { return session.GetToken() + "\n" })
}

// makeAccessToken makes a token for a program, with a part of the caller's rights.
func (c *console) makeAccessToken(ctx context.Context, cmd *cobra.Command, f tokenFlags, node *connection, out *printer) error {
	switch {
	case f.user != "" || cmd.Flags().Changed("ttl"):
		return Usage("an access token is of who calls and lives for --days: leave --user and --ttl out")
	case len(f.limits) == 0:
		return Usage("the token may do nothing: say what with --limit, such as --limit tickets:read")
	case cmd.Flags().Changed("days") && (f.days < 1 || f.days > longestToken):
		return Usage("--days is %d: give 1 to %d", f.days, longestToken)
	}
	name, err := self(ctx, node)
	if err != nil {
		return err
	}
	token := &apipb.AccessToken{Title: f.title, Limits: f.limits}
	if f.days > 0 {
		token.ExpireTime = timestamppb.New(time.Now().AddDate(0, 0, f.days))
	}
	made, err := node.tokens.CreateAccessToken(ctx, &apipb.CreateAccessTokenRequest{User: name, Token: token})
	if err != nil {
		return err
	}
	return out.answer(made, func() string { return made.GetSecret() + "\n" })
}

func (c *console) listTokens() *cobra.Command {
	var user string
	cmd := &cobra.Command{Use: "list", Short: "列表: the access tokens of programs, without the tokens themselves", Args: takes()}
	userFlag(cmd, &user)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		name, err := orSelf(ctx, node, user)
		if err != nil {
			return err
		}
		made, err := node.tokens.ListAccessTokens(ctx, &apipb.ListAccessTokensRequest{User: name})
		if err != nil {
			return err
		}
		return out.answer(made, func() string { return out.accessTokens(made.GetTokens()) })
	})
	return cmd
}

func (p *printer) accessTokens(tokens []*apipb.AccessToken) string {
	rows := [][]string{p.header(phrase{"编号", "ID"}, phrase{"用途", "TITLE"}, phrase{"权限范围", "LIMITS"}, phrase{"创建时间", "CREATED"},
		phrase{"最近使用", "SEEN"}, phrase{"到期", "EXPIRES"})}
	for _, t := range tokens {
		rows = append(rows, []string{t.GetId(), t.GetTitle(), strings.Join(t.GetLimits(), ","), p.when(t.GetCreateTime()),
			p.when(t.GetSeenTime()), p.when(t.GetExpireTime())})
	}
	if len(rows) == 1 {
		return p.say(phrase{"没有访问令牌\n", "there is no access token\n"})
	}
	return new(table).layOut(rows)
}

func (c *console) revokeToken() *cobra.Command {
	var user string
	cmd := &cobra.Command{Use: "revoke ID", Short: "注销: end an access token", Args: takes("ID")}
	userFlag(cmd, &user)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) error {
		name, err := orSelf(ctx, node, user)
		if err != nil {
			return err
		}
		done, err := node.tokens.RevokeAccessToken(ctx, &apipb.RevokeAccessTokenRequest{User: name, Id: args[0]})
		if err != nil {
			return err
		}
		return out.answer(done, func() string {
			return fmt.Sprintf(out.say(phrase{"已注销访问令牌 %s\n", "access token %s has ended\n"}), oneLine(args[0]))
		})
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
