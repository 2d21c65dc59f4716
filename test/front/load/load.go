// Load by Go's net/http: load.go <url> <connections> <options>. clients.ts has the protocol of its input.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var (
	mutex sync.Mutex
	tally = map[string]int{}
)

func count(what string) {
	mutex.Lock()
	defer mutex.Unlock()
	tally[what]++
}

// Files are in PEM; an empty name stands for none.
type options struct {
	Headers                     map[string]string
	Ca, Certificate, PrivateKey string
}

func transport(given options, connections int) *http.Transport {
	config := &tls.Config{}
	if given.Ca != "" {
		text, err := os.ReadFile(given.Ca)
		if err != nil {
			panic(err)
		}
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM(text)
	}
	if given.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(given.Certificate, given.PrivateKey)
		if err != nil {
			panic(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return &http.Transport{MaxIdleConnsPerHost: connections, TLSClientConfig: config}
}

func one(client *http.Client, url string, headers map[string]string) {
	request, err := http.NewRequest("POST", url, strings.NewReader("[1]"))
	if err != nil {
		panic(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	answer, err := client.Do(request)
	if err != nil {
		count("error " + err.Error())
		return
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		count("error " + err.Error())
		return
	}
	if answer.StatusCode == 200 && string(body) != "[1]" {
		count("wrong body " + string(body))
		return
	}
	count(strconv.Itoa(answer.StatusCode))
	if answer.StatusCode != 429 && answer.StatusCode != 503 {
		return
	}
	wait, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if err != nil {
		count(fmt.Sprintf("%d without Retry-After", answer.StatusCode))
		return
	}
	time.Sleep(time.Duration(wait) * time.Second)
}

func main() {
	url := os.Args[1]
	connections, _ := strconv.Atoi(os.Args[2])
	var given options
	if err := json.Unmarshal([]byte(os.Args[3]), &given); err != nil {
		panic(err)
	}
	client := &http.Client{Transport: transport(given, connections)}
	var running int32
	var load sync.WaitGroup
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		switch lines.Text() {
		case "start":
			atomic.StoreInt32(&running, 1)
			for i := 0; i < connections; i++ {
				load.Add(1)
				go func() {
					defer load.Done()
					for {
						one(client, url, given.Headers)
						if atomic.LoadInt32(&running) == 0 {
							return
						}
					}
				}()
			}
		case "stop":
			atomic.StoreInt32(&running, 0)
			load.Wait()
			text, _ := json.Marshal(tally)
			fmt.Println(string(text))
			tally = map[string]int{}
		}
	}
}
