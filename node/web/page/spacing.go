package page

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// edge stands before and behind what is put into a Chinese sentence until closeUp has seen to the spaces there. No text has it: Unicode
// leaves it to programs, for marks of their own.
const edge = "\ufdd0"

// framed is a piece for a sentence, with its edges.
func framed(piece string) string { return edge + strings.ReplaceAll(piece, edge, "") + edge }

// closeUp takes the edges of pieces out of a Chinese sentence, and the space beside an edge where Chinese meets Chinese: the sentence has
// one there for a number or a Latin name. What stands inside of a piece is left alone.
func closeUp(text string) string {
	parts := strings.Split(text, edge) // a piece is every second one, the sentence's own words are around them
	for at := 1; at < len(parts)-1; at += 2 {
		if before := strings.TrimSuffix(parts[at-1], " "); endsChinese(before) && beginsChinese(parts[at]) {
			parts[at-1] = before
		}
		if behind := strings.TrimPrefix(parts[at+1], " "); endsChinese(parts[at]) && beginsChinese(behind) {
			parts[at+1] = behind
		}
	}
	return strings.Join(parts, "")
}

func beginsChinese(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return chinese(first)
}

func endsChinese(text string) bool {
	last, _ := utf8.DecodeLastRuneInString(text)
	return chinese(last)
}

// chinese tells whether a rune is written as wide as a Chinese character: one, or a mark of punctuation with a space of its own.
func chinese(r rune) bool {
	return unicode.Is(unicode.Han, r) || strings.ContainsRune("，。；：、！？（）「」“”…", r)
}
