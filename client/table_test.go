package client

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestTableAlignsChinese(t *testing.T) {
	got := new(table).layOut([][]string{
		{"工单", "处理人", "标题"},
		{"1", "wang", "打印机没有反应"},
		{"22", "李", "VPN 断开"},
		{"333", "", "é e\u0301"},
	})
	want := "" +
		"工单  处理人  标题\n" +
		"1     wang    打印机没有反应\n" +
		"22    李      VPN 断开\n" +
		"333           é e\u0301\n"
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestCells(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "abc": 3, "工单": 4, "ＡＢ": 4, "，": 2, "e\u0301": 1, "한글": 4, "カ": 2, "ｶ": 1, "🚑": 2, "→": 1, "\u200b": 0,
	} {
		if got := cells(text); got != want {
			t.Errorf("cells(%q) = %d, want %d", text, got, want)
		}
	}
}

// Whatever the cells hold, every column begins in the same cell of every line, and lines stay lines.
func TestTableColumnsBeginTogether(t *testing.T) {
	word := rapid.StringOfN(rapid.RuneFrom([]rune("aZ9中文字，Ａé\u0301\n\x1b🚑")), 1, 12, -1)
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(2, 5).Draw(t, "columns")
		// A bar marks where each cell begins.
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) []string {
			row := make([]string, columns)
			for i := range row {
				row[i] = "|" + word.Draw(t, "cell")
			}
			return row
		}), 1, 8).Draw(t, "rows")
		lines := strings.Split(new(table).layOut(rows), "\n")
		if len(lines) != len(rows)+1 {
			t.Fatalf("%d rows became %d lines", len(rows), len(lines)-1)
		}
		first := barCells(lines[0])
		for _, line := range lines[:len(rows)] {
			if got := barCells(line); !slices.Equal(got, first) || len(got) != columns {
				t.Fatalf("columns begin at %v and at %v:\n%s", first, got, strings.Join(lines, "\n"))
			}
		}
	})
}

func barCells(line string) []int {
	var at []int
	for i, r := range line {
		if r == '|' {
			at = append(at, cells(line[:i]))
		}
	}
	return at
}

func TestTableGrowsOverPortions(t *testing.T) {
	var columns table
	first := columns.layOut([][]string{{"长长的", "x"}})
	second := columns.layOut([][]string{{"a", "y"}})
	if first != "长长的  x\n" || second != "a       y\n" {
		t.Errorf("portions: %q and %q, want the second under the first", first, second)
	}
}

func FuzzPrintableIsSafe(f *testing.F) {
	for _, seed := range []string{"", "工单", "\x1b[2J", "a\r\nb", "\u202edecivtca", "\xff", "\u0085", "\u009b31m"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range printable(s) {
			if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
				t.Fatalf("printable(%q) holds %U", s, r)
			}
		}
		line := oneLine(s)
		if strings.ContainsRune(line, '\n') || !utf8.ValidString(line) {
			t.Fatalf("oneLine(%q) = %q", s, line)
		}
	})
}
