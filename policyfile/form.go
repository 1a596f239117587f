package policyfile

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"gopkg.in/yaml.v3"
)

// form is how a value is written.
type form int

const (
	plain    form = iota
	duration      // seconds as 1d12h, 90m
	hours         // seconds as 36h, where a day may be a working day
	clock         // a minute of the day as 08:30
	date          // yyyymmdd as 2026-01-31
	weekday       // 1 to 7 as mon to sun
	upper         // a word in upper case as one in lower case
)

// formOf returns how the values of a field are written.
func formOf(field protoreflect.FieldDescriptor) form {
	switch strings.TrimPrefix(string(field.FullName()), schema) {
	case "Target.within":
		return hours
	case "Team.accept_within", "Rung.every", "Urging.cool_down", "CallBacks.after", "Closing.reopen_within", "Closing.rating_editable", "Closing.survey_valid":
		return duration
	case "Shift.from", "Shift.to", "Round.minute":
		return clock
	case "DateRule.date", "Shift.turns_from", "Round.first":
		return date
	case "Weekday.day", "Shift.days":
		return weekday
	case "Target.tier":
		return upper
	}
	return plain
}

// read reads a value of a field.
func (f form) read(node *yaml.Node, field protoreflect.FieldDescriptor) (protoreflect.Value, error) {
	text := node.Value
	switch f {
	case duration, hours:
		seconds, err := readDuration(text)
		return protoreflect.ValueOfInt64(seconds), err
	case clock:
		minutes, err := readClock(text)
		return protoreflect.ValueOfInt32(minutes), err
	case date:
		day, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return protoreflect.Value{}, fmt.Errorf("%.40q is no date; write one such as 2026-01-31", text)
		}
		return protoreflect.ValueOfInt32(int32(day.Year()*10000 + int(day.Month())*100 + day.Day())), nil
	case weekday:
		i := slices.Index(weekdays(), text)
		if i < 0 {
			return protoreflect.Value{}, fmt.Errorf("%.40q is no weekday; use %s", text, strings.Join(weekdays(), ", "))
		}
		return protoreflect.ValueOfInt32(int32(i) + 1), nil
	case upper:
		if text != strings.ToLower(text) {
			return protoreflect.Value{}, fmt.Errorf("%.40q has capitals; write it in small letters", text)
		}
		return protoreflect.ValueOfString(strings.ToUpper(text)), nil
	}
	return readPlain(node, field)
}

func readPlain(node *yaml.Node, field protoreflect.FieldDescriptor) (protoreflect.Value, error) {
	text := node.Value
	switch field.Kind() {
	case protoreflect.BoolKind:
		if text != "true" && text != "false" || node.ShortTag() != "!!bool" {
			return protoreflect.Value{}, fmt.Errorf("%.40q is neither true nor false", text)
		}
		return protoreflect.ValueOfBool(text == "true"), nil
	case protoreflect.EnumKind:
		return readEnum(text, field.Enum().Values())
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(text), nil
	}
	bits, low := 32, int64(math.MinInt32)
	switch field.Kind() {
	case protoreflect.Int64Kind:
		bits, low = 64, math.MinInt64
	case protoreflect.Uint32Kind:
		bits, low = 33, 0
	}
	number, err := strconv.ParseInt(text, 10, bits)
	if err != nil || number < low {
		return protoreflect.Value{}, fmt.Errorf("%.40q is no whole number that fits here", text)
	}
	switch field.Kind() {
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(number), nil
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(uint32(number)), nil
	}
	return protoreflect.ValueOfInt32(int32(number)), nil
}

func readEnum(text string, values protoreflect.EnumValueDescriptors) (protoreflect.Value, error) {
	var names []string
	for i := range values.Len() {
		name := strings.ToLower(string(values.Get(i).Name()))
		if strings.HasSuffix(name, "_unspecified") {
			continue
		}
		if name == text {
			return protoreflect.ValueOfEnum(values.Get(i).Number()), nil
		}
		names = append(names, name)
	}
	return protoreflect.Value{}, fmt.Errorf("%.40q is unknown here; use %s", text, strings.Join(names, ", "))
}

// write is the opposite of read. quoted tells that the text is a string, whatever it looks like.
func (f form) write(value protoreflect.Value, field protoreflect.FieldDescriptor) (text string, quoted bool) {
	switch f {
	case duration:
		return writeDuration(value.Int(), true), false
	case hours:
		return writeDuration(value.Int(), false), false
	case clock:
		return writeClock(int32(value.Int())), false
	case date:
		at := value.Int()
		return fmt.Sprintf("%04d-%02d-%02d", at/10000, at/100%100, at%100), false
	case weekday:
		if day := value.Int(); day >= 1 && day <= 7 {
			return weekdays()[day-1], false
		}
	case upper:
		return strings.ToLower(value.String()), true
	}
	switch field.Kind() {
	case protoreflect.EnumKind:
		if known := field.Enum().Values().ByNumber(value.Enum()); known != nil {
			return strings.ToLower(string(known.Name())), false
		}
		return strconv.Itoa(int(value.Enum())), false
	case protoreflect.StringKind:
		return value.String(), true
	}
	return fmt.Sprint(value.Interface()), false
}

func weekdays() []string { return []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }

// unit is a unit of durations.
type unit struct {
	letter  byte
	seconds int64
}

func units() []unit { return []unit{{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}} }

var errDuration = errors.New("write a time such as 90s, 15m, 1h30m or 2d")

// readDuration reads numbers with their units, the greatest unit first, each once; 0 alone is none.
func readDuration(text string) (int64, error) {
	if text == "0" {
		return 0, nil
	}
	var total int64
	rest := text
	for _, unit := range units() {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 || digits == len(rest) || rest[digits] != unit.letter {
			continue
		}
		number, err := strconv.ParseInt(rest[:digits], 10, 32)
		if err != nil {
			return 0, fmt.Errorf("%.40q is too long; %w", text, errDuration)
		}
		total += number * unit.seconds
		rest = rest[digits+1:]
	}
	if rest != "" || text == "" {
		return 0, fmt.Errorf("%.40q is no time; %w", text, errDuration)
	}
	return total, nil
}

func writeDuration(seconds int64, days bool) string {
	if seconds <= 0 {
		return strconv.FormatInt(seconds, 10)
	}
	var text strings.Builder
	for _, unit := range units() {
		if unit.letter == 'd' && !days {
			continue
		}
		if count := seconds / unit.seconds; count > 0 {
			fmt.Fprintf(&text, "%d%c", count, unit.letter)
			seconds %= unit.seconds
		}
	}
	return text.String()
}

// readClock reads 00:00 to 24:00.
func readClock(text string) (int32, error) {
	hour, minute, found := strings.Cut(text, ":")
	h, hourErr := strconv.Atoi(hour)
	m, minuteErr := strconv.Atoi(minute)
	if !found || hourErr != nil || minuteErr != nil || len(hour) > 2 || len(minute) != 2 || h < 0 || m < 0 || m > 59 || h*60+m > 24*60 {
		return 0, fmt.Errorf("%.40q is no time of day; write one such as 08:30", text)
	}
	return int32(h*60 + m), nil
}

func writeClock(minutes int32) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }
