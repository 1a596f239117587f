package client

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// typed answers questions at the terminal one after the other, and keeps the questions.
func typed(asked *[]string, answers ...string) func(context.Context, string) (string, error) {
	return func(_ context.Context, question string) (string, error) {
		*asked = append(*asked, question)
		next := answers[0]
		answers = answers[1:]
		return next, nil
	}
}

// wantsCode is a node that signs nobody in without the code 123456.
func wantsCode(t *testing.T) answer {
	return func(_ context.Context, method string, request proto.Message) (proto.Message, error) {
		q, ok := request.(*apipb.CreateSessionRequest)
		switch {
		case !ok:
			return nil, nil
		case q.GetCode() == "":
			return nil, refusal(t, codes.Unauthenticated, "the second factor is missing", "SECOND_FACTOR_REQUIRED", "")
		case q.GetCode() != "123456":
			return nil, refusal(t, codes.Unauthenticated, "the code "+q.GetCode()+" is wrong", "WRONG_CODE", "")
		}
		return &apipb.CreateSessionResponse{Token: "tok-123"}, nil
	}
}

func TestSigningInWithASecondFactor(t *testing.T) {
	for _, c := range []struct {
		name, code string
		typed      []string
		out, words string
	}{
		{name: "typed", typed: []string{"123456"}, out: "tok-123\n"},
		{name: "typed wrongly", typed: []string{"654321"}, words: "the code … is wrong"},
		{name: "from the environment", code: "123456", out: "tok-123\n"},
		{name: "wrong in the environment", code: "654321", words: "the code … is wrong"},
		{name: "nobody to ask", words: "TIERDESK_CODE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked []string
			s := at(t, newFakeNode(t, wantsCode(t)))
			s.environ["TIERDESK_PASSWORD"], s.environ["TIERDESK_CODE"] = "correct horse", c.code
			if c.typed != nil {
				s.prompt = typed(&asked, c.typed...)
			}
			got := s.run("token", "create", "--user", "li")
			if c.words != "" {
				got.oneErrorLine(t, ExitRefused)
			}
			if got.out != c.out || !strings.Contains(got.stderr, c.words) {
				t.Errorf("printed %q and %q, want %q and %q", got.out, got.stderr, c.out, c.words)
			}
			if len(asked) != len(c.typed) {
				t.Errorf("asked %q, want %d questions", asked, len(c.typed))
			}
		})
	}
}

func TestAPasswordOfSomebodyElseIsSaidAtSignIn(t *testing.T) {
	s := at(t, newFakeNode(t, always(&apipb.CreateSessionResponse{Token: "tok-123", MustChangePassword: true}, nil)))
	s.environ["TIERDESK_PASSWORD"] = "x"
	got := s.run("token", "create", "--user", "li")
	if got.code != ExitDone || got.out != "tok-123\n" || !strings.Contains(got.stderr, "tierdesk user password") {
		t.Errorf("exit %d, %q, %q; want the token, and beside it what to do first", got.code, got.out, got.stderr)
	}
	s = at(t, newFakeNode(t, always(nil, refusal(t, codes.PermissionDenied, "not now", "PASSWORD_CHANGE_REQUIRED", ""))))
	if got := s.run("ticket", "list"); got.code != ExitRefused || !strings.Contains(got.stderr, "tierdesk user password") {
		t.Errorf("exit %d, %q; want to be told to set another password", got.code, got.stderr)
	}
	s = at(t, newFakeNode(t, always(nil, after(t, time.Hour, refusal(t, codes.ResourceExhausted, "too many wrong passwords; try again in 60 s", "TOO_MANY_ATTEMPTS", "")))))
	s.environ["TIERDESK_PASSWORD"] = "x"
	got = s.run("token", "create", "--user", "li", "--timeout", generous.String())
	got.oneErrorLine(t, ExitRefused)
	if want := "tierdesk: too many wrong passwords; try again in 60 s\n"; got.stderr != want {
		t.Errorf("stderr %q, want %q", got.stderr, want)
	}
}

// TestWhatIsAboutTheCallerAsksWhoThatIs covers the commands that find out their user first.
func TestWhatIsAboutTheCallerAsksWhoThatIs(t *testing.T) {
	for _, c := range []struct {
		line string
		want proto.Message
	}{
		{"user password", &apipb.SetPasswordRequest{Name: "wang", Password: "new secret", CurrentPassword: "secret"}},
		{"user second-factor enrol", &apipb.EnrolSecondFactorRequest{Name: "wang", Password: "secret"}},
		{"user second-factor confirm", &apipb.ConfirmSecondFactorRequest{Name: "wang", Code: "123456"}},
		{"user second-factor remove", &apipb.RemoveSecondFactorRequest{Name: "wang", Password: "secret"}},
		{"session list", &apipb.ListSessionsRequest{User: "wang"}},
		{"session revoke s1", &apipb.RevokeSessionRequest{User: "wang", Id: "s1"}},
		{"session revoke --all", &apipb.RevokeSessionsRequest{User: "wang"}},
		{"token list", &apipb.ListAccessTokensRequest{User: "wang"}},
		{"token revoke t1", &apipb.RevokeAccessTokenRequest{User: "wang", Id: "t1"}},
		{"token create --title 报表 --limit tickets:read --limit policy:read", &apipb.CreateAccessTokenRequest{User: "wang",
			Token: &apipb.AccessToken{Title: "报表", Limits: []string{"tickets:read", "policy:read"}}}},
	} {
		t.Run(c.line, func(t *testing.T) {
			node := newFakeNode(t, nil)
			s := at(t, node)
			s.environ["TIERDESK_PASSWORD"], s.environ["TIERDESK_NEW_PASSWORD"], s.environ["TIERDESK_CODE"] = "secret", "new secret", "123456"
			s.done(t, strings.Fields(c.line)...)
			calls := node.seen()
			if len(calls) != 2 || calls[0].method != "GetCaller" || !proto.Equal(calls[1].request, c.want) {
				t.Errorf("calls %v, want GetCaller and then %v", calls, c.want)
			}
		})
	}
}

func TestWrongUseOfPeopleAndTokens(t *testing.T) {
	for line, words := range map[string]string{
		"token create":                                      "--user",
		"token create --user li --limit read":               "--title",
		"token create --title x":                            "--limit",
		"token create --title x --limit read --user li":     "leave --user",
		"token create --title x --limit read --days 367":    "1 to 366",
		"token create --title x --limit read --days -1":     "1 to 366",
		"user change li":                                    "nothing to change",
		"user add li --role king":                           "auditor",
		"user add li --line fourth":                         "first, second, third",
		"user add li --scope galaxy":                        "subtree",
		"session revoke":                                    "give ID",
		"session revoke s1 --all":                           "takes none",
		"user password li wang":                             "takes only NAME",
		"user second-factor enrol JBSWY3DPEHPK3PXP":         "takes none",
		"user second-factor confirm 123456":                 "takes none",
		"user password --current-password correct-horse li": "unknown flag",
	} {
		node := newFakeNode(t, nil)
		s := at(t, node)
		s.environ["TIERDESK_PASSWORD"], s.environ["TIERDESK_NEW_PASSWORD"] = "secret", "new secret"
		got := s.run(strings.Fields(line)...)
		got.oneErrorLine(t, ExitUsage)
		if !strings.Contains(got.stderr, words) || strings.Contains(got.stderr, "JBSWY3DP") || strings.Contains(got.stderr, "correct-horse") {
			t.Errorf("tierdesk %s: %q, want %q and nothing secret", line, got.stderr, words)
		}
		if calls := node.seen(); len(calls) != 0 {
			t.Errorf("tierdesk %s: calls %v, want none", line, calls)
		}
	}
}

func TestPeopleInWords(t *testing.T) {
	wang := &apipb.User{Name: "wang", DisplayName: "王芳", Role: apipb.User_DISPATCHER, Scope: apipb.User_SUBTREE, Unit: "信息处",
		Lines: []apipb.User_Line{apipb.User_FIRST}, Groups: []string{"网络组"}, MemberOf: []string{"网络组", "一线"}, SecondFactor: true, MustChangePassword: true}
	said := func(_ context.Context, method string, _ proto.Message) (proto.Message, error) {
		switch method {
		case "GetUser", "CreateUser":
			return wang, nil
		case "ListSessions":
			return &apipb.ListSessionsResponse{Sessions: []*apipb.Session{{Id: "s1", SeenTime: at0900(0), Address: "10.1.2.3", Client: "tierdesk", Current: true}}}, nil
		case "ListAccessTokens":
			return &apipb.ListAccessTokensResponse{Tokens: []*apipb.AccessToken{{Id: "t1", Title: "报表", Limits: []string{"tickets:read"}, CreateTime: at0900(0)}}}, nil
		case "GetCaller":
			return &apipb.Caller{User: &apipb.User{Name: "wang", Role: apipb.User_AUDITOR}, Permissions: []string{"audit.read", "ticket.read"}}, nil
		case "EnrolSecondFactor":
			return &apipb.EnrolSecondFactorResponse{Secret: "ABCD", Uri: "otpauth://totp/x"}, nil
		case "ListVerbs":
			return &apipb.ListVerbsResponse{Verbs: []string{"assign", "note"}, Wishes: []string{"cancel"}}, nil
		}
		return nil, nil
	}
	for _, c := range []struct{ line, lang, want string }{
		{"user show wang", "", "用户        wang\n姓名        王芳\n角色        派单岗\n范围        本级及下级\n处理组      网络组, 一线\n支持线      一线\n" +
			"单位        信息处\n账号来源    本地\n状态        须改密码\n双因素认证  是\n值班        否\n"},
		{"user add wang", "en", "user wang was added (DISPATCHER); the first sign-in asks for another password\n"},
		{"session list", "en", "ID  SINCE  SEEN                 EXPIRES  THIS  FROM      PROGRAM\ns1         2026-11-21 09:00:00           yes   10.1.2.3  tierdesk\n"},
		{"token list", "", "编号  用途  权限范围      创建时间             最近使用  到期\nt1    报表  tickets:read  2026-11-21 09:00:00\n"},
		{"session whoami", "en", "User           wang\nRole           AUDITOR\nScope          SUBTREE\nSource         LOCAL\nState          active\nSecond factor  no\nOn duty        no\nMay  audit.read ticket.read\n"},
		{"user second-factor enrol", "en", "Secret   ABCD\nAddress  otpauth://totp/x\nshown this once: put it into the authenticator, then run " +
			"tierdesk user second-factor confirm; from then on codes are asked for\n"},
		{"user disable wang", "", "已停用 wang\n"},
		{"ticket verbs " + number, "en", "Now        assign note\nAs wishes  cancel\n"},
	} {
		s := at(t, newFakeNode(t, said))
		s.environ["LANG"], s.environ["TIERDESK_PASSWORD"], s.environ["TIERDESK_NEW_PASSWORD"] = c.lang, "secret", "new secret"
		if got := s.done(t, strings.Fields(c.line)...); got != c.want {
			t.Errorf("tierdesk %s:\n%s\nwant:\n%s", c.line, got, c.want)
		}
	}
}
