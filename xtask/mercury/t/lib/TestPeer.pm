package TestPeer;

# One WebSocket of a test.

use Mojo::Base -base, -signatures;

use Mojo::IOLoop;
use Mojo::WebSocket qw(WS_PING WS_PONG WS_TEXT);
use Time::HiRes qw(time);

# How long anything may take, in seconds: only a test that hangs waits for it.
use constant PATIENCE => 20;

# Opens the socket; dies with the status if it is refused.
sub connect ($class, $ua, $url, $headers) {
    my $self = $class->new(heard => [], pings => [], pongs => 0);
    my $tx;
    $ua->websocket($url => $headers => sub ($ua, $answered) { $tx = $answered });
    $class->wait_for(sub { $tx }) or die "$url: no answer";
    die $tx->res->code . "\n" if !$tx->is_websocket;
    $tx->max_websocket_size(2**25);
    $tx->on(text   => sub ($tx, $bytes) { push @{ $self->{heard} }, "text $bytes" });
    $tx->on(binary => sub ($tx, $bytes) { push @{ $self->{heard} }, "binary $bytes" });
    $tx->on(finish => sub ($tx, $code, $) { push @{ $self->{heard} }, $self->{closed} = "closed $code" });
    $tx->on(frame  => sub ($tx, $frame) { push @{ $self->{pings} }, $frame->[5] if $frame->[4] == WS_PING });
    $tx->on(frame  => sub ($tx, $frame) { $self->{pongs}++ if $frame->[4] == WS_PONG });
    $self->{tx} = $tx;
    return $self;
}

# Lets the loop run until the condition holds; whether it came to hold.
sub wait_for ($class, $condition) {
    my $deadline = time + PATIENCE;
    my $wake = Mojo::IOLoop->recurring(0.1 => sub { });
    my $holds;
    Mojo::IOLoop->one_tick while !($holds = $condition->()) && time < $deadline;
    Mojo::IOLoop->remove($wake);
    return $holds;
}

# Sends text, or bytes that need not be UTF-8.
sub say    ($self, $bytes) { $self->{tx}->send([1, 0, 0, 0, WS_TEXT, $bytes]); return $self }
sub binary ($self, $bytes) { $self->{tx}->send({ binary => $bytes });          return $self }

sub has_heard ($self) { return scalar @{ $self->{heard} } }

# The next message, as `text ...` or `binary ...`, or `closed CODE`.
sub next ($self) {
    $self->wait_for(sub { $self->has_heard });
    return shift @{ $self->{heard} } // 'nothing';
}

sub next_ping ($self) {
    $self->wait_for(sub { @{ $self->{pings} } || $self->{closed} });
    return shift @{ $self->{pings} } // 'none';
}

# Waits until the broker has handled what was said so far: the answer to a ping comes after that.
sub handled ($self) {
    my $before = $self->{pongs};
    $self->{tx}->send([1, 0, 0, 0, WS_PING, '']);
    return $self->wait_for(sub { $self->{pongs} > $before || $self->{closed} }) && !$self->{closed};
}

# Closes, and waits for the answer.
sub leave ($self) {
    $self->{tx}->finish(1000);
    $self->wait_for(sub { $self->{closed} }) or die 'no end';
    return;
}

1;
