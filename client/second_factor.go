package client

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// codeVariable names the variable of the environment that a code of the second factor is read from.
const codeVariable = "TIERDESK_CODE"

func (c *console) secondFactorCommand() *cobra.Command {
	return c.group("second-factor", "双因素认证: codes of an authenticator app, asked for besides the password", c.enrolFactor(), c.confirmFactor(), c.removeFactor())
}

// code reads the six digits that an authenticator shows: from the environment, or from a person at the terminal.
func (c *console) code(cmd *cobra.Command) (string, error) {
	if value := c.env.Getenv(codeVariable); value != "" {
		return value, nil
	}
	if c.env.Prompt == nil {
		return "", Usage("no code: set %s to the six digits of the authenticator, or run it on a terminal", codeVariable)
	}
	return c.env.Prompt(cmd.Context(), "验证码 Code: ")
}

// enrolFactor draws the caller's own second factor, for which the password is asked.
func (c *console) enrolFactor() *cobra.Command {
	var fromInput bool
	cmd := &cobra.Command{Use: "enrol", Short: "登记: draw a secret for your authenticator app; it is shown this once", Args: takes()}
	passwordFlag(cmd, &fromInput, passwordVariable)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) (err error) {
		q := &apipb.EnrolSecondFactorRequest{}
		if q.Name, err = self(ctx, node); err != nil {
			return err
		}
		if q.Password, err = c.secret(cmd, fromInput, passwordVariable, "密码 Password: "); err != nil {
			return err
		}
		drawn, err := node.users.EnrolSecondFactor(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(drawn, func() string {
			b := &block{printer: out}
			b.add(phrase{"密钥", "Secret"}, drawn.GetSecret())
			b.add(phrase{"地址", "Address"}, drawn.GetUri())
			return b.String() + out.say(phrase{
				"只显示这一次：录入验证器后执行 tierdesk user second-factor confirm，之后登录才需要验证码\n",
				"shown this once: put it into the authenticator, then run tierdesk user second-factor confirm; from then on codes are asked for\n"})
		})
	})
	return cmd
}

func (c *console) confirmFactor() *cobra.Command {
	cmd := &cobra.Command{Use: "confirm", Args: takes(),
		Short: "确认: prove by a code that the authenticator has the secret, in " + codeVariable + " or asked for on a terminal"}
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, _ []string) error {
		name, err := self(ctx, node)
		if err != nil {
			return err
		}
		q := &apipb.ConfirmSecondFactorRequest{Name: name}
		if q.Code, err = c.code(cmd); err != nil {
			return err
		}
		done, err := node.users.ConfirmSecondFactor(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(done, func() string {
			return out.say(phrase{"已启用双因素认证\n", "signing in asks for a code from now on\n"})
		})
	})
	return cmd
}

// removeFactor takes the caller's own second factor away, for which the password is asked, or another user's.
func (c *console) removeFactor() *cobra.Command {
	var fromInput bool
	cmd := &cobra.Command{Use: "remove [NAME]", Args: nameOrNone, Short: "取消: ask for codes no more, your own or, as an administrator, a user's"}
	passwordFlag(cmd, &fromInput, passwordVariable)
	cmd.RunE = c.calls(func(ctx context.Context, node *connection, out *printer, args []string) (err error) {
		q := &apipb.RemoveSecondFactorRequest{}
		if len(args) > 0 {
			q.Name = args[0]
		} else {
			if q.Name, err = self(ctx, node); err != nil {
				return err
			}
			if q.Password, err = c.secret(cmd, fromInput, passwordVariable, "密码 Password: "); err != nil {
				return err
			}
		}
		done, err := node.users.RemoveSecondFactor(ctx, q)
		if err != nil {
			return err
		}
		return out.answer(done, func() string {
			return fmt.Sprintf(out.say(phrase{"已取消 %s 的双因素认证\n", "%s signs in without a code from now on\n"}), oneLine(q.Name))
		})
	})
	return cmd
}
