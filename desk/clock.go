package desk

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// instantLayout prints a time as finely as it is stamped.
const instantLayout = time.RFC3339Nano

// spoken is a time in a sentence: in whole seconds, rounded up so that who waits until then has waited long enough.
func spoken(t *timestamppb.Timestamp) string {
	return t.AsTime().Add(time.Second - 1).Truncate(time.Second).Format(time.RFC3339)
}

// moment turns microseconds since 1970 into a time in UTC.
func moment(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

func timestamp(micros int64) *timestamppb.Timestamp { return timestamppb.New(moment(micros)) }

func micros(t *timestamppb.Timestamp) int64 { return t.AsTime().UnixMicro() }
