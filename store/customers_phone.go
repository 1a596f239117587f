package store

import (
	"slices"
	"strings"
)

// localDigits returns the digits of a fixed line's number behind the area code, as people of the place dial it: empty for a number
// without one. Area codes of China have three digits when they begin with 01 or 02, else four.
func localDigits(digits string) string {
	area := 4
	switch {
	case !strings.HasPrefix(digits, "0"):
		return ""
	case strings.HasPrefix(digits, "01"), strings.HasPrefix(digits, "02"):
		area = 3
	}
	return digits[min(area, len(digits)):]
}

// leastFixed is how many digits a fixed line's number with its area code has at least.
const leastFixed = 10

// withoutTrunk returns a number with an area code without its first 0, which is left out behind a country code; any other as it is.
func withoutTrunk(digits string) string {
	if len(digits) < leastFixed {
		return digits
	}
	return strings.TrimPrefix(digits, "0")
}

// backwards returns digits from the last one to the first.
func backwards(digits string) string {
	turned := []byte(digits)
	slices.Reverse(turned)
	return string(turned)
}
