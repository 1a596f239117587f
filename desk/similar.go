package desk

import (
	"strings"
	"unicode"
)

// Likeness tells how much two titles share, 0 to 100: twice the pairs of neighbouring characters that both have, of all pairs
// of both (Dice's coefficient). Pairs serve Chinese words, most of which have two characters, as well as others. Case,
// spaces and punctuation do not count. A title of one character is like the same one only.
func Likeness(a, b string) int32 {
	left, right := pairs(a), pairs(b)
	counts := make(map[[2]rune]int, len(left))
	for _, pair := range left {
		counts[pair]++
	}
	shared := 0
	for _, pair := range right {
		if counts[pair] > 0 {
			counts[pair]--
			shared++
		}
	}
	if shared == 0 {
		return 0
	}
	const whole = 100
	return int32(whole * 2 * shared / (len(left) + len(right)))
}

// pairs returns the pairs of neighbouring letters and digits of a text.
func pairs(text string) [][2]rune {
	letters := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text))
	if len(letters) == 1 {
		return [][2]rune{{letters[0], 0}}
	}
	var found [][2]rune
	for i := 1; i < len(letters); i++ {
		found = append(found, [2]rune{letters[i-1], letters[i]})
	}
	return found
}
