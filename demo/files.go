package demo

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
)

// screenshot is a small picture in the place of what a requester would send.
func screenshot() []byte {
	const width, height, bar = 160, 90, 14
	picture := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{
		color.White, color.RGBA{R: 0x1f, G: 0x4e, B: 0x79, A: 0xff}, color.RGBA{R: 0xc0, G: 0x39, B: 0x2b, A: 0xff},
	})
	for y := range height {
		for x := range width {
			switch {
			case y < bar:
				picture.SetColorIndex(x, y, 1)
			case x > width/4 && x < width*3/4 && y > height/2 && y < height/2+bar:
				picture.SetColorIndex(x, y, 2)
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		panic(fmt.Sprintf("a picture in memory cannot be written: %v", err)) // a bytes.Buffer takes everything
	}
	return out.Bytes()
}

// serverLog is a text of more pieces than one: what somebody who escalates sends along.
func serverLog() []byte {
	var out strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&out, "%06d 10:%02d:%02d WARN payment %08x returned: reason field truncated\n", i, i/60%60, i%60, i*2654435761)
	}
	return []byte(out.String())
}
