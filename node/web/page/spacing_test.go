package page

import "testing"

func TestChineseMeetsChineseWithoutASpace(t *testing.T) {
	t.Parallel()
	words := catalogue{
		"by":   {Chinese: "重大故障：%s「%s」由 %s 处理中（%s 起）。", English: "%s, “%s”, is worked on by %s (since %s)."},
		"left": {Chinese: "还剩 %s", English: "%s left"},
		"two":  {Chinese: "选择 %s %s", English: "Choose %s %s"},
		"sign": {Chinese: "使用 %s 登录 %d 次", English: "Sign in with %s, %d times"},
	}
	for _, tt := range []struct {
		name, lang, key string
		pieces          []any
		want            string
	}{
		{"a name of an office", Chinese, "by", []any{"330106-7", "缴款 中断", "浙江省", "10:32"}, "重大故障：330106-7「缴款 中断」由浙江省处理中（10:32 起）。"},
		{"an office whose name is not known", Chinese, "by", []any{"330106-7", "缴款", "330000", "10:32"}, "重大故障：330106-7「缴款」由 330000 处理中（10:32 起）。"},
		{"a time begins with a number", Chinese, "left", []any{"42 分钟"}, "还剩 42 分钟"},
		{"two pieces stay apart", Chinese, "two", []any{"工单", "打印"}, "选择工单 打印"},
		{"a Latin name, and a number", Chinese, "sign", []any{"OpenLDAP", 3}, "使用 OpenLDAP 登录 3 次"},
		{"a Chinese name, and a number", Chinese, "sign", []any{"省厅目录", 3}, "使用省厅目录登录 3 次"},
		{"a name that begins in Latin", Chinese, "sign", []any{"AD 目录", 3}, "使用 AD 目录登录 3 次"},
		{"no name", Chinese, "sign", []any{"", 3}, "使用  登录 3 次"},
		{"what programs alone write", Chinese, "left", []any{edge + "一天" + edge}, "还剩一天"},
		{"English", English, "by", []any{"7", "缴款", "浙江省", "10:32"}, "7, “缴款”, is worked on by 浙江省 (since 10:32)."},
	} {
		if got := words.say(tt.lang, tt.key, tt.pieces...); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
